ALTER TABLE `media` ADD `rendered_as` text;--> statement-breakpoint
CREATE INDEX `media_rendered_as_index` ON `media` (`rendered_as`,`deleted_at`,`id`,`media_type`);--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `media_id` integer;--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `content_type` text;--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `file_size` integer;--> statement-breakpoint
CREATE INDEX `object_deletions_media_id_index` ON `object_deletions` (`media_id`);
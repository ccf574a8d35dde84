ALTER TABLE `media` ADD `rendered_as` varchar(32) CHARACTER SET ascii COLLATE ascii_bin;--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `media_id` int;--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `content_type` varchar(127) CHARACTER SET utf8mb4;--> statement-breakpoint
ALTER TABLE `object_deletions` ADD `file_size` bigint;--> statement-breakpoint
CREATE INDEX `media_rendered_as_index` ON `media` (`rendered_as`,`deleted_at`,`id`,`media_type`);--> statement-breakpoint
CREATE INDEX `object_deletions_media_id_index` ON `object_deletions` (`media_id`);
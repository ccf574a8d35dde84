DROP INDEX `object_deletions_run_after_index`;--> statement-breakpoint
DROP INDEX `object_deletions_key_digest_index`;--> statement-breakpoint
CREATE INDEX `object_deletions_due_index` ON `object_deletions` (`storage_type`,`run_after`,`id`);--> statement-breakpoint
CREATE INDEX `object_deletions_key_digest_index` ON `object_deletions` (`key_digest`,`storage_type`);--> statement-breakpoint
DROP INDEX `storage_findings_kind_key_digest_unique`;--> statement-breakpoint
DROP INDEX `storage_findings_confirmed_at_index`;--> statement-breakpoint
CREATE UNIQUE INDEX `storage_findings_kind_storage_type_key_digest_unique` ON `storage_findings` (`kind`,`storage_type`,`key_digest`);--> statement-breakpoint
CREATE INDEX `storage_findings_confirmed_at_index` ON `storage_findings` (`kind`,`confirmed_at`,`id`);--> statement-breakpoint
DROP INDEX `upload_intents_created_at_index`;--> statement-breakpoint
CREATE INDEX `upload_intents_storage_type_index` ON `upload_intents` (`storage_type`,`created_at`,`id`);--> statement-breakpoint
DROP INDEX `media_moderation_status_index`;--> statement-breakpoint
ALTER TABLE `media` ADD `is_imported` integer GENERATED ALWAYS AS (source_url is not null) VIRTUAL;--> statement-breakpoint
CREATE INDEX `media_entity_index` ON `media` (`entity_type`,`entity_id`,`deleted_at`,`sort_order`,`order_key`,`id`);--> statement-breakpoint
CREATE INDEX `media_is_imported_index` ON `media` (`is_imported`,`moderation_status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_moderation_status_index` ON `media` (`moderation_status`,`deleted_at`,`created_at`,`id`);
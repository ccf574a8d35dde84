CREATE TABLE `idempotency_keys` (
	`principal` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`outcome` text,
	`instance_id` text NOT NULL,
	`repeats` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`principal`, `idempotency_key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_created_at_index` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `moderation_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`media_id` integer NOT NULL,
	`actor_id` text,
	`from_status` text NOT NULL,
	`to_status` text NOT NULL,
	`reason` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `moderation_events_media_id_index` ON `moderation_events` (`media_id`,`id`);--> statement-breakpoint
CREATE TABLE `object_deletions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`object_key` text NOT NULL,
	`key_digest` text NOT NULL,
	`storage_type` text NOT NULL,
	`attempts` integer NOT NULL,
	`run_after` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `object_deletions_run_after_index` ON `object_deletions` (`run_after`,`id`);--> statement-breakpoint
CREATE INDEX `object_deletions_key_digest_index` ON `object_deletions` (`key_digest`);--> statement-breakpoint
CREATE TABLE `storage_findings` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`storage_type` text NOT NULL,
	`object_key` text NOT NULL,
	`key_digest` text NOT NULL,
	`media_id` integer,
	`first_seen_at` integer NOT NULL,
	`confirmed_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `storage_findings_kind_key_digest_unique` ON `storage_findings` (`kind`,`key_digest`);--> statement-breakpoint
CREATE INDEX `storage_findings_kind_index` ON `storage_findings` (`kind`,`id`);--> statement-breakpoint
CREATE INDEX `storage_findings_media_id_index` ON `storage_findings` (`media_id`);--> statement-breakpoint
CREATE INDEX `storage_findings_confirmed_at_index` ON `storage_findings` (`confirmed_at`,`kind`);--> statement-breakpoint
CREATE TABLE `sync_runs` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer,
	`phase` text NOT NULL,
	`position` text,
	`checked` integer NOT NULL,
	`missing` integer NOT NULL,
	`orphaned` integer NOT NULL,
	`unknown` integer NOT NULL,
	`open_key` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sync_runs_open_key_unique` ON `sync_runs` (`open_key`);--> statement-breakpoint
CREATE INDEX `sync_runs_finished_at_index` ON `sync_runs` (`finished_at`,`id`);--> statement-breakpoint
CREATE TABLE `upload_days` (
	`day` text NOT NULL,
	`entity_type` text NOT NULL,
	`media_type` text NOT NULL,
	`items` integer NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`day`, `entity_type`, `media_type`)
);
--> statement-breakpoint
CREATE TABLE `usage_counters` (
	`entity_type` text NOT NULL,
	`entity_field` text NOT NULL,
	`media_type` text NOT NULL,
	`moderation_status` text NOT NULL,
	`uploaded_by` text NOT NULL,
	`is_trashed` integer NOT NULL,
	`items` integer NOT NULL,
	`original_bytes` integer NOT NULL,
	`variants` integer NOT NULL,
	`variant_bytes` integer NOT NULL,
	PRIMARY KEY(`entity_type`, `entity_field`, `media_type`, `moderation_status`, `uploaded_by`, `is_trashed`)
);
--> statement-breakpoint
DROP INDEX `media_uploaded_by_index`;--> statement-breakpoint
ALTER TABLE `media` ADD `missing_since` integer;--> statement-breakpoint
CREATE INDEX `media_uploaded_by_index` ON `media` (`uploaded_by`,`id`);--> statement-breakpoint
CREATE INDEX `entities_owner_id_index` ON `entities` (`owner_id`);--> statement-breakpoint
CREATE INDEX `entity_grants_user_id_index` ON `entity_grants` (`user_id`);--> statement-breakpoint
CREATE INDEX `entity_members_user_id_index` ON `entity_members` (`user_id`);
CREATE TABLE `idempotency_keys` (
	`principal` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`idempotency_key` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`fingerprint` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`outcome` json,
	`instance_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`repeats` int NOT NULL,
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `idempotency_keys_primary` PRIMARY KEY(`principal`,`idempotency_key`)
);
--> statement-breakpoint
CREATE TABLE `moderation_events` (
	`id` int AUTO_INCREMENT NOT NULL,
	`media_id` int NOT NULL,
	`actor_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`from_status` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`to_status` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`reason` text CHARACTER SET utf8mb4,
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `moderation_events_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE TABLE `object_deletions` (
	`id` int AUTO_INCREMENT NOT NULL,
	`object_key` text CHARACTER SET utf8mb4 NOT NULL,
	`key_digest` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`storage_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`attempts` int NOT NULL,
	`run_after` datetime(3) NOT NULL,
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `object_deletions_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE TABLE `storage_findings` (
	`id` int AUTO_INCREMENT NOT NULL,
	`kind` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`storage_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`object_key` text CHARACTER SET utf8mb4 NOT NULL,
	`key_digest` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`media_id` int,
	`first_seen_at` datetime(3) NOT NULL,
	`confirmed_at` datetime(3),
	CONSTRAINT `storage_findings_id` PRIMARY KEY(`id`),
	CONSTRAINT `storage_findings_kind_key_digest_unique` UNIQUE(`kind`,`key_digest`)
);
--> statement-breakpoint
CREATE TABLE `sync_runs` (
	`id` int AUTO_INCREMENT NOT NULL,
	`started_at` datetime(3) NOT NULL,
	`finished_at` datetime(3),
	`phase` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`position` text CHARACTER SET utf8mb4,
	`checked` bigint NOT NULL,
	`missing` bigint NOT NULL,
	`orphaned` bigint NOT NULL,
	`unknown` bigint NOT NULL,
	`open_key` varchar(4) CHARACTER SET ascii COLLATE ascii_bin,
	CONSTRAINT `sync_runs_id` PRIMARY KEY(`id`),
	CONSTRAINT `sync_runs_open_key_unique` UNIQUE(`open_key`)
);
--> statement-breakpoint
CREATE TABLE `upload_days` (
	`day` varchar(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`entity_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`media_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`items` bigint NOT NULL,
	`bytes` bigint NOT NULL,
	CONSTRAINT `upload_days_primary` PRIMARY KEY(`day`,`entity_type`,`media_type`)
);
--> statement-breakpoint
CREATE TABLE `usage_counters` (
	`entity_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`entity_field` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`media_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`moderation_status` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`uploaded_by` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`is_trashed` boolean NOT NULL,
	`items` bigint NOT NULL,
	`original_bytes` bigint NOT NULL,
	`variants` bigint NOT NULL,
	`variant_bytes` bigint NOT NULL,
	CONSTRAINT `usage_counters_primary` PRIMARY KEY(`entity_type`,`entity_field`,`media_type`,`moderation_status`,`uploaded_by`,`is_trashed`)
);
--> statement-breakpoint
DROP INDEX `media_uploaded_by_index` ON `media`;--> statement-breakpoint
ALTER TABLE `media` ADD `missing_since` datetime(3);--> statement-breakpoint
CREATE INDEX `idempotency_keys_created_at_index` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE INDEX `moderation_events_media_id_index` ON `moderation_events` (`media_id`,`id`);--> statement-breakpoint
CREATE INDEX `object_deletions_run_after_index` ON `object_deletions` (`run_after`,`id`);--> statement-breakpoint
CREATE INDEX `object_deletions_key_digest_index` ON `object_deletions` (`key_digest`);--> statement-breakpoint
CREATE INDEX `storage_findings_kind_index` ON `storage_findings` (`kind`,`id`);--> statement-breakpoint
CREATE INDEX `storage_findings_media_id_index` ON `storage_findings` (`media_id`);--> statement-breakpoint
CREATE INDEX `storage_findings_confirmed_at_index` ON `storage_findings` (`confirmed_at`,`kind`);--> statement-breakpoint
CREATE INDEX `sync_runs_finished_at_index` ON `sync_runs` (`finished_at`,`id`);--> statement-breakpoint
CREATE INDEX `entities_owner_id_index` ON `entities` (`owner_id`);--> statement-breakpoint
CREATE INDEX `entity_grants_user_id_index` ON `entity_grants` (`user_id`);--> statement-breakpoint
CREATE INDEX `entity_members_user_id_index` ON `entity_members` (`user_id`);--> statement-breakpoint
CREATE INDEX `media_uploaded_by_index` ON `media` (`uploaded_by`,`id`);
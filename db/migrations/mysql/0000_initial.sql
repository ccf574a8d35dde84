CREATE TABLE `entities` (
	`row_id` int AUTO_INCREMENT NOT NULL,
	`type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`entity_id` int NOT NULL,
	`public_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`owner_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`parent_row_id` int,
	`name` varchar(255) CHARACTER SET utf8mb4,
	`version` int NOT NULL,
	`created_at` datetime(3) NOT NULL,
	`updated_at` datetime(3) NOT NULL,
	`deleted_at` datetime(3),
	CONSTRAINT `entities_row_id` PRIMARY KEY(`row_id`),
	CONSTRAINT `entities_type_entity_id_unique` UNIQUE(`type`,`entity_id`),
	CONSTRAINT `entities_type_public_id_unique` UNIQUE(`type`,`public_id`)
);
--> statement-breakpoint
CREATE TABLE `entity_grants` (
	`entity_row_id` int NOT NULL,
	`user_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`right` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`expires_at` datetime(3),
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `entity_grants_primary` PRIMARY KEY(`entity_row_id`,`user_id`,`right`)
);
--> statement-breakpoint
CREATE TABLE `entity_members` (
	`entity_row_id` int NOT NULL,
	`user_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`role` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	CONSTRAINT `entity_members_primary` PRIMARY KEY(`entity_row_id`,`user_id`)
);
--> statement-breakpoint
CREATE TABLE `instances` (
	`id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`host` varchar(255) CHARACTER SET utf8mb4 NOT NULL,
	`pid` int NOT NULL,
	`started_at` datetime(3) NOT NULL,
	`heartbeat_at` datetime(3) NOT NULL,
	CONSTRAINT `instances_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE TABLE `media` (
	`id` int AUTO_INCREMENT NOT NULL,
	`public_id` varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`filename` varchar(255) CHARACTER SET utf8mb4 NOT NULL,
	`original_filename` varchar(255) CHARACTER SET utf8mb4 NOT NULL,
	`media_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`content_type` varchar(127) CHARACTER SET utf8mb4 NOT NULL,
	`file_size` bigint NOT NULL,
	`width` int,
	`height` int,
	`duration` double,
	`image_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`content_sha256` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`storage_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`bucket_name` varchar(255) CHARACTER SET utf8mb4,
	`storage_path` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`original_url` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`thumbnail_url` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`medium_url` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`large_url` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`video_processed_url` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`video_processed_size` bigint,
	`entity_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`entity_id` int NOT NULL,
	`entity_public_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`entity_field` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`alt_text` varchar(500) CHARACTER SET utf8mb4,
	`caption` text CHARACTER SET utf8mb4,
	`sort_order` int NOT NULL,
	`order_key` varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`is_primary` boolean NOT NULL,
	`source_url` text CHARACTER SET utf8mb4,
	`tags` json NOT NULL,
	`metadata` json NOT NULL,
	`placeholder` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`dominant_color` varchar(7) CHARACTER SET ascii COLLATE ascii_bin,
	`focal_x` double,
	`focal_y` double,
	`uploaded_by` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`is_public` boolean NOT NULL,
	`is_approved` boolean NOT NULL,
	`moderation_status` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`processing_status` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`created_at` datetime(3) NOT NULL,
	`updated_at` datetime(3) NOT NULL,
	`deleted_at` datetime(3),
	`slot_key` varchar(100) CHARACTER SET ascii COLLATE ascii_bin,
	`primary_of` varchar(100) CHARACTER SET ascii COLLATE ascii_bin,
	CONSTRAINT `media_id` PRIMARY KEY(`id`),
	CONSTRAINT `media_public_id_unique` UNIQUE(`public_id`),
	CONSTRAINT `media_storage_path_unique` UNIQUE(`storage_path`),
	CONSTRAINT `media_video_processed_url_unique` UNIQUE(`video_processed_url`),
	CONSTRAINT `media_slot_key_unique` UNIQUE(`slot_key`),
	CONSTRAINT `media_primary_of_unique` UNIQUE(`primary_of`)
);
--> statement-breakpoint
CREATE TABLE `media_variants` (
	`media_id` int NOT NULL,
	`name` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`object_key` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`width` int NOT NULL,
	`height` int NOT NULL,
	`content_type` varchar(127) CHARACTER SET utf8mb4 NOT NULL,
	`file_size` bigint NOT NULL,
	CONSTRAINT `media_variants_primary` PRIMARY KEY(`media_id`,`name`),
	CONSTRAINT `media_variants_object_key_unique` UNIQUE(`object_key`)
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`user_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`expires_at` datetime(3) NOT NULL,
	CONSTRAINT `sessions_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE TABLE `upload_intents` (
	`id` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`media_public_id` varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`storage_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`keys` json NOT NULL,
	`instance_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`is_claimed` boolean NOT NULL,
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `upload_intents_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` int NOT NULL,
	`public_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`email` varchar(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`password_hash` varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
	`role` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`verified` boolean NOT NULL,
	`created_at` datetime(3) NOT NULL,
	`updated_at` datetime(3) NOT NULL,
	CONSTRAINT `users_id` PRIMARY KEY(`id`),
	CONSTRAINT `users_public_id_unique` UNIQUE(`public_id`),
	CONSTRAINT `users_email_unique` UNIQUE(`email`)
);
--> statement-breakpoint
ALTER TABLE `entities` ADD CONSTRAINT `entities_parent_row_id_entities_row_id_fk` FOREIGN KEY (`parent_row_id`) REFERENCES `entities`(`row_id`) ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE `entity_grants` ADD CONSTRAINT `entity_grants_entity_row_id_entities_row_id_fk` FOREIGN KEY (`entity_row_id`) REFERENCES `entities`(`row_id`) ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE `entity_members` ADD CONSTRAINT `entity_members_entity_row_id_entities_row_id_fk` FOREIGN KEY (`entity_row_id`) REFERENCES `entities`(`row_id`) ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE `media_variants` ADD CONSTRAINT `media_variants_media_id_media_id_fk` FOREIGN KEY (`media_id`) REFERENCES `media`(`id`) ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE `sessions` ADD CONSTRAINT `sessions_user_id_users_public_id_fk` FOREIGN KEY (`user_id`) REFERENCES `users`(`public_id`) ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX `entities_parent_row_id_index` ON `entities` (`parent_row_id`);--> statement-breakpoint
CREATE INDEX `media_gallery_index` ON `media` (`entity_type`,`entity_id`,`entity_field`,`deleted_at`,`sort_order`,`order_key`,`id`);--> statement-breakpoint
CREATE INDEX `media_content_index` ON `media` (`entity_type`,`entity_id`,`content_sha256`);--> statement-breakpoint
CREATE INDEX `media_is_primary_index` ON `media` (`is_primary`,`entity_type`,`entity_id`);--> statement-breakpoint
CREATE INDEX `media_uploaded_by_index` ON `media` (`uploaded_by`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_created_at_index` ON `media` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_moderation_status_index` ON `media` (`moderation_status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_storage_type_index` ON `media` (`storage_type`,`id`);--> statement-breakpoint
CREATE INDEX `media_deleted_at_index` ON `media` (`deleted_at`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expires_at_index` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE INDEX `upload_intents_created_at_index` ON `upload_intents` (`created_at`,`id`);
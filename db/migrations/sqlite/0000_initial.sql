CREATE TABLE `entities` (
	`row_id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`type` text NOT NULL,
	`entity_id` integer NOT NULL,
	`public_id` text NOT NULL,
	`owner_id` text,
	`parent_row_id` integer,
	`name` text,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer,
	FOREIGN KEY (`parent_row_id`) REFERENCES `entities`(`row_id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `entities_type_entity_id_unique` ON `entities` (`type`,`entity_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `entities_type_public_id_unique` ON `entities` (`type`,`public_id`);--> statement-breakpoint
CREATE INDEX `entities_parent_row_id_index` ON `entities` (`parent_row_id`);--> statement-breakpoint
CREATE TABLE `entity_grants` (
	`entity_row_id` integer NOT NULL,
	`user_id` text NOT NULL,
	`right` text NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`entity_row_id`, `user_id`, `right`),
	FOREIGN KEY (`entity_row_id`) REFERENCES `entities`(`row_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `entity_members` (
	`entity_row_id` integer NOT NULL,
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	PRIMARY KEY(`entity_row_id`, `user_id`),
	FOREIGN KEY (`entity_row_id`) REFERENCES `entities`(`row_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `instances` (
	`id` text PRIMARY KEY NOT NULL,
	`host` text NOT NULL,
	`pid` integer NOT NULL,
	`started_at` integer NOT NULL,
	`heartbeat_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `media` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`public_id` text NOT NULL,
	`filename` text NOT NULL,
	`original_filename` text NOT NULL,
	`media_type` text NOT NULL,
	`content_type` text NOT NULL,
	`file_size` integer NOT NULL,
	`width` integer,
	`height` integer,
	`duration` real,
	`image_hash` text,
	`content_sha256` text NOT NULL,
	`storage_type` text NOT NULL,
	`bucket_name` text,
	`storage_path` text NOT NULL,
	`original_url` text NOT NULL,
	`thumbnail_url` text,
	`medium_url` text,
	`large_url` text,
	`video_processed_url` text,
	`video_processed_size` integer,
	`entity_type` text NOT NULL,
	`entity_id` integer NOT NULL,
	`entity_public_id` text NOT NULL,
	`entity_field` text NOT NULL,
	`alt_text` text,
	`caption` text,
	`sort_order` integer NOT NULL,
	`order_key` text NOT NULL,
	`is_primary` integer NOT NULL,
	`source_url` text,
	`tags` text NOT NULL,
	`metadata` text NOT NULL,
	`placeholder` text,
	`dominant_color` text,
	`focal_x` real,
	`focal_y` real,
	`uploaded_by` text,
	`is_public` integer NOT NULL,
	`is_approved` integer NOT NULL,
	`moderation_status` text NOT NULL,
	`processing_status` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer,
	`slot_key` text,
	`primary_of` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `media_public_id_unique` ON `media` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `media_storage_path_unique` ON `media` (`storage_path`);--> statement-breakpoint
CREATE UNIQUE INDEX `media_video_processed_url_unique` ON `media` (`video_processed_url`);--> statement-breakpoint
CREATE UNIQUE INDEX `media_slot_key_unique` ON `media` (`slot_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `media_primary_of_unique` ON `media` (`primary_of`);--> statement-breakpoint
CREATE INDEX `media_gallery_index` ON `media` (`entity_type`,`entity_id`,`entity_field`,`deleted_at`,`sort_order`,`order_key`,`id`);--> statement-breakpoint
CREATE INDEX `media_content_index` ON `media` (`entity_type`,`entity_id`,`content_sha256`);--> statement-breakpoint
CREATE INDEX `media_is_primary_index` ON `media` (`is_primary`,`entity_type`,`entity_id`);--> statement-breakpoint
CREATE INDEX `media_uploaded_by_index` ON `media` (`uploaded_by`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_created_at_index` ON `media` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_moderation_status_index` ON `media` (`moderation_status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `media_storage_type_index` ON `media` (`storage_type`,`id`);--> statement-breakpoint
CREATE INDEX `media_deleted_at_index` ON `media` (`deleted_at`,`id`);--> statement-breakpoint
CREATE TABLE `media_variants` (
	`media_id` integer NOT NULL,
	`name` text NOT NULL,
	`object_key` text NOT NULL,
	`width` integer NOT NULL,
	`height` integer NOT NULL,
	`content_type` text NOT NULL,
	`file_size` integer NOT NULL,
	PRIMARY KEY(`media_id`, `name`),
	FOREIGN KEY (`media_id`) REFERENCES `media`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `media_variants_object_key_unique` ON `media_variants` (`object_key`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`public_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expires_at_index` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `upload_intents` (
	`id` text PRIMARY KEY NOT NULL,
	`media_public_id` text NOT NULL,
	`storage_type` text NOT NULL,
	`keys` text NOT NULL,
	`instance_id` text NOT NULL,
	`is_claimed` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `upload_intents_created_at_index` ON `upload_intents` (`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`email` text,
	`password_hash` text,
	`role` text NOT NULL,
	`verified` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_public_id_unique` ON `users` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users` (`email`);
CREATE TABLE `media_renditions` (
	`media_id` int NOT NULL,
	`spec` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`state` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`object_key` varchar(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`width` int,
	`height` int,
	`content_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin,
	`file_size` bigint,
	`claim` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`instance_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`created_at` datetime(3) NOT NULL,
	CONSTRAINT `media_renditions_primary` PRIMARY KEY(`media_id`,`spec`),
	CONSTRAINT `media_renditions_object_key_unique` UNIQUE(`object_key`)
);
--> statement-breakpoint
ALTER TABLE `media_renditions` ADD CONSTRAINT `media_renditions_media_id_media_id_fk` FOREIGN KEY (`media_id`) REFERENCES `media`(`id`) ON DELETE cascade ON UPDATE no action;
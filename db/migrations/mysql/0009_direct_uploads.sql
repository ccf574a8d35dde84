CREATE TABLE `direct_uploads` (
	`id` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`principal` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`entity_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`entity_id` int NOT NULL,
	`entity_field` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`filename` varchar(255) CHARACTER SET utf8mb4 NOT NULL,
	`content_type` varchar(100) CHARACTER SET utf8mb4,
	`file_size` bigint NOT NULL,
	`sha256` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`fields` json NOT NULL,
	`object_key` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	`storage_type` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`state` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`failure` json,
	`outcome` json,
	`is_cleared` boolean NOT NULL,
	`created_at` datetime(3) NOT NULL,
	`expires_at` datetime(3) NOT NULL,
	CONSTRAINT `direct_uploads_id` PRIMARY KEY(`id`),
	CONSTRAINT `direct_uploads_object_key_unique` UNIQUE(`object_key`)
);
--> statement-breakpoint
CREATE INDEX `direct_uploads_principal_index` ON `direct_uploads` (`principal`,`state`,`expires_at`);--> statement-breakpoint
CREATE INDEX `direct_uploads_expires_at_index` ON `direct_uploads` (`is_cleared`,`expires_at`,`id`);
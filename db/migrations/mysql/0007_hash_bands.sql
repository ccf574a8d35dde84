CREATE TABLE `media_hash_bands` (
	`bucket` int NOT NULL,
	`hash_high` int unsigned NOT NULL,
	`hash_low` int unsigned NOT NULL,
	`media_id` int NOT NULL,
	CONSTRAINT `media_hash_bands_primary` PRIMARY KEY(`bucket`,`hash_high`,`hash_low`,`media_id`)
);
--> statement-breakpoint
DROP INDEX `media_content_index` ON `media`;--> statement-breakpoint
CREATE INDEX `media_content_index` ON `media` (`content_sha256`,`entity_type`,`entity_id`);
CREATE TABLE `media_hash_bands` (
	`bucket` integer NOT NULL,
	`hash_high` integer NOT NULL,
	`hash_low` integer NOT NULL,
	`media_id` integer NOT NULL,
	PRIMARY KEY(`bucket`, `hash_high`, `hash_low`, `media_id`)
);
--> statement-breakpoint
DROP INDEX `media_content_index`;--> statement-breakpoint
CREATE INDEX `media_content_index` ON `media` (`content_sha256`,`entity_type`,`entity_id`);
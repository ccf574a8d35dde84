CREATE TABLE `direct_uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`principal` text NOT NULL,
	`entity_type` text NOT NULL,
	`entity_id` integer NOT NULL,
	`entity_field` text NOT NULL,
	`filename` text NOT NULL,
	`content_type` text,
	`file_size` integer NOT NULL,
	`sha256` text,
	`fields` text NOT NULL,
	`object_key` text NOT NULL,
	`storage_type` text NOT NULL,
	`state` text NOT NULL,
	`failure` text,
	`outcome` text,
	`is_cleared` integer NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `direct_uploads_principal_index` ON `direct_uploads` (`principal`,`state`,`expires_at`);--> statement-breakpoint
CREATE INDEX `direct_uploads_expires_at_index` ON `direct_uploads` (`is_cleared`,`expires_at`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `direct_uploads_object_key_unique` ON `direct_uploads` (`object_key`);
CREATE TABLE `media_renditions` (
	`media_id` integer NOT NULL,
	`spec` text NOT NULL,
	`state` text NOT NULL,
	`object_key` text,
	`width` integer,
	`height` integer,
	`content_type` text,
	`file_size` integer,
	`claim` text NOT NULL,
	`instance_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`media_id`, `spec`),
	FOREIGN KEY (`media_id`) REFERENCES `media`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `media_renditions_object_key_unique` ON `media_renditions` (`object_key`);
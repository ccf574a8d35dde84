CREATE TABLE `service_tokens` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`living_name` text,
	`digest` text NOT NULL,
	`scopes` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `service_tokens_living_name_unique` ON `service_tokens` (`living_name`);--> statement-breakpoint
CREATE UNIQUE INDEX `service_tokens_digest_unique` ON `service_tokens` (`digest`);
CREATE TABLE `service_tokens` (
	`id` int AUTO_INCREMENT NOT NULL,
	`name` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`living_name` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`digest` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`scopes` json NOT NULL,
	`created_at` datetime(3) NOT NULL,
	`expires_at` datetime(3),
	`last_used_at` datetime(3),
	`revoked_at` datetime(3),
	CONSTRAINT `service_tokens_id` PRIMARY KEY(`id`),
	CONSTRAINT `service_tokens_living_name_unique` UNIQUE(`living_name`),
	CONSTRAINT `service_tokens_digest_unique` UNIQUE(`digest`)
);

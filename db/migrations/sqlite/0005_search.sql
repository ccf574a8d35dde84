CREATE TABLE `media_search` (
	`media_id` integer PRIMARY KEY NOT NULL,
	`words` text NOT NULL
);

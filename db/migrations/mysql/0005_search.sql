CREATE TABLE `media_search` (
	`media_id` int NOT NULL,
	`words` mediumtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	CONSTRAINT `media_search_media_id` PRIMARY KEY(`media_id`)
);

-- An index over the words of `media_search`, which it reads from there. Nobody asks where in the text a word stands or
-- how long the text is, so neither is kept. Every word begins with two letters of its kind: the beginnings of 3 to 5
-- are those of 1 to 3 letters that people type first.
CREATE VIRTUAL TABLE `media_search_index` USING fts5(
	`words`, content = 'media_search', content_rowid = 'media_id',
	detail = none, columnsize = 0, prefix = '3 4 5', tokenize = 'ascii'
);
--> statement-breakpoint
CREATE TRIGGER `media_search_inserted` AFTER INSERT ON `media_search` BEGIN
	INSERT INTO `media_search_index` (`rowid`, `words`) VALUES (new.`media_id`, new.`words`);
END;
--> statement-breakpoint
CREATE TRIGGER `media_search_deleted` AFTER DELETE ON `media_search` BEGIN
	INSERT INTO `media_search_index` (`media_search_index`, `rowid`, `words`)
	VALUES ('delete', old.`media_id`, old.`words`);
END;
--> statement-breakpoint
CREATE TRIGGER `media_search_updated` AFTER UPDATE ON `media_search` BEGIN
	INSERT INTO `media_search_index` (`media_search_index`, `rowid`, `words`)
	VALUES ('delete', old.`media_id`, old.`words`);
	INSERT INTO `media_search_index` (`rowid`, `words`) VALUES (new.`media_id`, new.`words`);
END;

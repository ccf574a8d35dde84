-- The words are made so that no setting of the server for lengths or stopwords touches them.
CREATE FULLTEXT INDEX `media_search_words_fulltext` ON `media_search` (`words`);

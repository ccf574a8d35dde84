-- Fills the bands from the hashes that were there before them. REPLACE, so that on MySQL, where a migration is no
-- transaction, a run that was cut short can be repeated.
REPLACE INTO `media_hash_bands` (`bucket`, `hash_high`, `hash_low`, `media_id`)
SELECT
	`band` * 65536 + CONV(SUBSTR(`image_hash`, `band` * 16 + 1, 16), 2, 10),
	CONV(SUBSTR(`image_hash`, 1, 32), 2, 10),
	CONV(SUBSTR(`image_hash`, 33, 32), 2, 10),
	`id`
FROM `media`
CROSS JOIN (SELECT 0 AS `band` UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS `bands`
WHERE `image_hash` REGEXP '^[01]{64}$';

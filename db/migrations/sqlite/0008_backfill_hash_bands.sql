-- Fills the bands from the hashes that were there before them. A text of bits becomes two numbers bit by bit: SQLite
-- reads no base but ten and sixteen.
WITH RECURSIVE
	`bits` (`n`) AS (SELECT 1 UNION ALL SELECT `n` + 1 FROM `bits` WHERE `n` < 64),
	`hashes` AS MATERIALIZED (
		SELECT
			m.`id`,
			SUM(CASE WHEN `n` <= 32 THEN (SUBSTR(m.`image_hash`, `n`, 1) = '1') << (32 - `n`) ELSE 0 END) AS `high`,
			SUM(CASE WHEN `n` > 32 THEN (SUBSTR(m.`image_hash`, `n`, 1) = '1') << (64 - `n`) ELSE 0 END) AS `low`
		FROM `media` m CROSS JOIN `bits`
		WHERE LENGTH(m.`image_hash`) = 64 AND m.`image_hash` NOT GLOB '*[^01]*'
		GROUP BY m.`id`
	)
REPLACE INTO `media_hash_bands` (`bucket`, `hash_high`, `hash_low`, `media_id`)
SELECT `high` >> 16, `high`, `low`, `id` FROM `hashes`
UNION ALL SELECT 65536 + (`high` & 65535), `high`, `low`, `id` FROM `hashes`
UNION ALL SELECT 131072 + (`low` >> 16), `high`, `low`, `id` FROM `hashes`
UNION ALL SELECT 196608 + (`low` & 65535), `high`, `low`, `id` FROM `hashes`;

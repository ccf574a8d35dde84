-- Fills the counters from the rows that were there before them. REPLACE, so that on MySQL, where a migration is no
-- transaction, a run that was cut short can be repeated.
REPLACE INTO `usage_counters` (
	`entity_type`, `entity_field`, `media_type`, `moderation_status`, `uploaded_by`, `is_trashed`,
	`items`, `original_bytes`, `variants`, `variant_bytes`
)
SELECT
	m.`entity_type`, m.`entity_field`, m.`media_type`, m.`moderation_status`,
	COALESCE(m.`uploaded_by`, ''), m.`deleted_at` IS NOT NULL,
	COUNT(*),
	SUM(m.`file_size`),
	SUM(COALESCE(v.`variants`, 0) + (m.`video_processed_size` IS NOT NULL)),
	SUM(COALESCE(v.`bytes`, 0) + COALESCE(m.`video_processed_size`, 0))
FROM `media` m
LEFT JOIN (
	SELECT `media_id`, COUNT(*) AS `variants`, SUM(`file_size`) AS `bytes` FROM `media_variants` GROUP BY `media_id`
) v ON v.`media_id` = m.`id`
GROUP BY 1, 2, 3, 4, 5, 6;
--> statement-breakpoint
REPLACE INTO `upload_days` (`day`, `entity_type`, `media_type`, `items`, `bytes`)
SELECT strftime('%Y-%m-%d', `created_at` / 1000, 'unixepoch'), `entity_type`, `media_type`, COUNT(*), SUM(`file_size`)
FROM `media`
GROUP BY 1, 2, 3;

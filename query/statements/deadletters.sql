-- Dead letters, the latest first; without their bytes.
-- $1 state, $2 stage, $3 text in the reason, $4 last failed since (NULL: all), $5 before this one, $6 most rows
SELECT deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,
       origin_offset, arrived_at, failed_at, last_failed_at, settled_at, because
  FROM deadletters
 WHERE ($1::text IS NULL OR state = $1)
   AND ($2::text IS NULL OR stage = $2)
   AND ($3::text IS NULL OR strpos(lower(reason), lower($3)) > 0)
   AND ($4::timestamptz IS NULL OR last_failed_at >= $4)
   AND ($5::bigint IS NULL OR deadletter_id < $5)
 ORDER BY deadletter_id DESC
 LIMIT $6;

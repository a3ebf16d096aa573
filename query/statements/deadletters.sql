-- Dead letters, the latest first; without their bytes.
-- $1 state, $2 stage (NULL: all), $3 before this one, $4 most rows
SELECT deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,
       origin_offset, failed_at
  FROM deadletters
 WHERE ($1::text IS NULL OR state = $1)
   AND ($2::text IS NULL OR stage = $2)
   AND ($3::bigint IS NULL OR deadletter_id < $3)
 ORDER BY deadletter_id DESC
 LIMIT $4;

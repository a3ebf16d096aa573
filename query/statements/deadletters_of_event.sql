-- Dead letters that bear the identity of an event.
-- $1 source, $2 id, $3 most rows
SELECT deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,
       origin_offset, arrived_at, failed_at, last_failed_at, settled_at, because
  FROM deadletters
 WHERE source = $1 AND id = $2
 ORDER BY deadletter_id DESC
 LIMIT $3;

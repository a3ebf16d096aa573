-- One dead letter whole.
-- $1 its number
SELECT deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,
       origin_offset, arrived_at, failed_at, last_failed_at, settled_at, because, key, value, headers
  FROM deadletters
 WHERE deadletter_id = $1;

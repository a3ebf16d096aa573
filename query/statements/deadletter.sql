-- One dead letter whole.
-- $1 its number
SELECT deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,
       origin_offset, failed_at, key, value, headers
  FROM deadletters
 WHERE deadletter_id = $1;

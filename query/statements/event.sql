-- One CloudEvent whole.
-- $1 source, $2 id
SELECT event_id, source, id, type, subject, event_timestamp, received_at, fate, reason, rule, attributes, body,
       topic, topic_partition, topic_offset, traceparent
  FROM cloudevents_raw
 WHERE source = $1 AND id = $2;

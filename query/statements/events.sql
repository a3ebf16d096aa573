-- CloudEvents, the latest recorded first; without their data.
-- $1 fate, $2 type (NULL: all), $3 before this one, $4 most rows
SELECT event_id, source, id, type, subject, event_timestamp, received_at, fate, reason, rule
  FROM cloudevents_raw
 WHERE ($1::text IS NULL OR fate = $1)
   AND ($2::text IS NULL OR type = $2)
   AND ($3::bigint IS NULL OR event_id < $3)
 ORDER BY event_id DESC
 LIMIT $4;

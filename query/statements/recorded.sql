-- CloudEvents in the order of recording, as far as no transaction that still runs can come between; without their
-- data.
-- $1 behind this transaction, $2 and this row, $3 most rows
SELECT recorded_in::text::bigint AS recorded, event_id, source, id, type, subject, event_timestamp, received_at,
       fate, reason, rule, outputs
  FROM cloudevents_raw
 WHERE recorded_in IS NOT NULL
   AND (recorded_in, event_id) > ($1::bigint::text::xid8, $2::bigint)
   AND recorded_in < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY recorded_in, event_id
 LIMIT $3;

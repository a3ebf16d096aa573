-- The row behind which the latest so many begin, in the order of recording; none when there are not so many.
-- $1 how many
SELECT recorded_in::text::bigint AS recorded, event_id
  FROM cloudevents_raw
 WHERE recorded_in IS NOT NULL
   AND recorded_in < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY recorded_in DESC, event_id DESC
OFFSET $1
 LIMIT 1;

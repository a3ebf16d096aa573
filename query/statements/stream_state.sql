-- Up to where all that was recorded is there for good, and whether something that was recorded waits behind it.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS settled,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS newest,
       coalesce((SELECT generation FROM generations WHERE state = 'active'), 0) AS generation,
       EXISTS (SELECT
                 FROM cloudevents_raw
                WHERE recorded_in IS NOT NULL
                  AND recorded_in >= pg_snapshot_xmin(pg_current_snapshot())) AS held;

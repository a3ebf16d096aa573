-- In which order events were recorded, so that whoever follows them misses none.

-- The order of numbers is not that of commits: a row with a lower number can appear after one with a higher. All
-- rows of transactions below the oldest that is still running are there for good, so a reader who goes by
-- (recorded_in, event_id) up to that one has no gap. Where the table is so large that the index takes longer than a
-- migration may, make the column and CREATE INDEX CONCURRENTLY before.
ALTER TABLE cloudevents_raw ADD COLUMN IF NOT EXISTS recorded_in xid8;
ALTER TABLE cloudevents_raw ALTER COLUMN recorded_in SET DEFAULT pg_current_xact_id();
COMMENT ON COLUMN cloudevents_raw.recorded_in IS
    'The transaction that recorded the event, or moved the fate of a dead one; NULL of rows from before there was this column';
CREATE INDEX IF NOT EXISTS cloudevents_raw_by_recording ON cloudevents_raw (recorded_in, event_id)
    WHERE recorded_in IS NOT NULL;

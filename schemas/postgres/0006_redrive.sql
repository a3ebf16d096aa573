-- Dead letters can be redriven and dropped; and a generation remembers the routes that it was made with.

ALTER TABLE deadletters
    ADD COLUMN arrived_at     timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN last_failed_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN generation     integer NOT NULL DEFAULT 0,
    ADD COLUMN rule           text NOT NULL DEFAULT '',
    ADD COLUMN settled_at     timestamptz,
    ADD COLUMN because        text;
-- Until now failed_at was the arrival, and when a record failed was not kept.
UPDATE deadletters SET arrived_at = failed_at, last_failed_at = failed_at;
COMMENT ON COLUMN deadletters.arrived_at IS 'When the record came to its topic, by the broker''s clock';
COMMENT ON COLUMN deadletters.failed_at IS 'When it failed for the first time';
COMMENT ON COLUMN deadletters.last_failed_at IS 'When it failed for the last time';
COMMENT ON COLUMN deadletters.attempts IS 'Calls and redrives that failed; a redrive names the attempts that it knows of';
COMMENT ON COLUMN deadletters.generation IS 'The generation whose workers told of it last';
COMMENT ON COLUMN deadletters.rule IS 'Of a CDEvent: the transformer or function that made it';
COMMENT ON COLUMN deadletters.settled_at IS 'When it was redriven or dropped';
COMMENT ON COLUMN deadletters.because IS 'Why it was dropped';
COMMENT ON COLUMN deadletters.identity IS 'SHA-256 over stage, origin and value: a dead letter told twice is one row, and so are its redrives';

ALTER TABLE generations ADD COLUMN routes_digest text NOT NULL DEFAULT '';
-- Until now it was of teams, too, and compared with nothing. The next worker says what it is.
UPDATE generations SET catalog_digest = '';
COMMENT ON COLUMN generations.catalog_digest IS 'Of the catalog that the rows were made with; empty until the first worker has started';
COMMENT ON COLUMN generations.routes_digest IS 'Of the routes that the rows were made with; empty until the first worker has started';

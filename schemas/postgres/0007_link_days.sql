-- What the links of each day amount to, so that an answer over a year reads a row per day and not one per change.
-- Percentiles cannot be summed, so a day keeps every duration of it, packed into one value.

-- A generation that is being built has no such table: dora recompute begins it again.
UPDATE generations SET state = 'failed' WHERE state = 'building';
DROP SCHEMA IF EXISTS building CASCADE;

ALTER TABLE attributions ADD COLUMN day timestamptz;
COMMENT ON COLUMN attributions.day IS 'Where its day begins in the configured zone; NULL while link_days does not hold it';
CREATE INDEX attributions_without_day ON attributions ((true)) WHERE day IS NULL;

CREATE TABLE link_days (
    service        text NOT NULL,
    environment    text NOT NULL,
    day            timestamptz NOT NULL,
    deployments    integer NOT NULL,
    counted        integer NOT NULL,
    failed         integer NOT NULL,
    unrecovered    integer NOT NULL,
    unplanned      integer NOT NULL,
    linked         integer NOT NULL,
    lead_times     bytea NOT NULL,
    merge_times    bytea NOT NULL,
    recovery_times bytea NOT NULL,
    undeployed     integer NOT NULL,
    PRIMARY KEY (service, environment, day)
);
COMMENT ON TABLE link_days IS 'attributions and deployed_changes by day in the configured zone; written with them';
COMMENT ON COLUMN link_days.deployments IS 'Counted deployments and rollbacks; the next five are how many of these';
COMMENT ON COLUMN link_days.lead_times IS 'Seconds, ascending, each as float8send writes it; so are the other two';
COMMENT ON COLUMN link_days.undeployed IS 'Commits made on that day that no deployment contains yet';
CREATE INDEX link_days_by_day ON link_days (day);

-- The relinker fills the days; answers read attributions and deployed_changes until it has.
INSERT INTO relinks SELECT DISTINCT service, environment FROM attributions ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION derived_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['cdevents_raw', 'deployments', 'deployment_frequency', 'changes', 'pushes', 'artifacts', 'incidents',
                 'corrections', 'relinks', 'attributions', 'deployed_changes', 'link_days']
$$;

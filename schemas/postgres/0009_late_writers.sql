-- A worker that was frozen, and goes on when another has its partitions.

-- A generation that is being built has no such table: dora recompute begins it again.
UPDATE generations SET state = 'failed' WHERE state = 'building';
DROP SCHEMA IF EXISTS building CASCADE;

-- It must not put its older counts over those of the other: how much of the topic of CDEvents the counts in
-- deployment_frequency follow from, a row for each partition.
CREATE TABLE frequency_positions (
    partition integer PRIMARY KEY,
    position  bigint NOT NULL
);
COMMENT ON TABLE frequency_positions IS 'The offset of the last CDEvent that deployment_frequency follows from';

CREATE OR REPLACE FUNCTION derived_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['cdevents_raw', 'deployments', 'deployment_frequency', 'changes', 'pushes', 'artifacts', 'incidents',
                 'corrections', 'relinks', 'attributions', 'deployed_changes', 'link_days', 'frequency_positions']
$$;

-- And it must not hold up the other for as long as it is frozen. Servers before 17 have no such limit; there the
-- lock of a frozen worker is held until it goes on or is ended.
CREATE OR REPLACE FUNCTION enter_generation(wanted integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        PERFORM set_config('transaction_timeout', '60s', true);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('dora.generation'));
    SELECT state INTO found FROM generations WHERE generation = wanted;
    IF found = 'building' THEN
        PERFORM set_config('search_path', 'building, public', true);
    END IF;
    RETURN found;
END
$$;

-- The repositories that matter to each service and environment. A fact of a repository marks the places that it may
-- matter to; to find those by joining all of its pushes with deployments cost more with every push.

-- A generation that is being built has no such table: dora recompute begins it again.
UPDATE generations SET state = 'failed' WHERE state = 'building';
DROP SCHEMA IF EXISTS building CASCADE;

-- No primary key: three names together may be longer than an index can hold. One relinker at a time has a place.
CREATE TABLE homes (
    service     text NOT NULL,
    environment text NOT NULL,
    repository  text NOT NULL
);
COMMENT ON TABLE homes IS 'Whose pushes, changes and artifacts were looked at for the links of a place; the relinker adds them';
CREATE INDEX homes_by_place ON homes (service, environment);
CREATE INDEX homes_by_repository ON homes USING hash (repository);

ALTER TABLE attributions ADD COLUMN kept_homes boolean;
COMMENT ON COLUMN attributions.kept_homes IS 'NULL: by a version that does not add homes; the relinker will be there again';
CREATE INDEX attributions_without_homes ON attributions (service, environment) WHERE kept_homes IS NULL;

-- Until the relinker has been at a place its homes are not known, and it reads all facts when it is.
INSERT INTO relinks SELECT DISTINCT service, environment FROM deployments ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION derived_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['cdevents_raw', 'deployments', 'deployment_frequency', 'changes', 'pushes', 'artifacts', 'incidents',
                 'corrections', 'relinks', 'attributions', 'deployed_changes', 'link_days', 'frequency_positions',
                 'homes']
$$;

-- Changes, artifacts and incidents, and how they are linked to deployments. Facts are merged by the workers as
-- CDEvents tell them; links are computed from facts by the relinker, pair by pair of service and environment.

-- The digest of an artifact that has one, since tags and registries move; else the artifact as it is named.
-- streams/facts/artifacts.py has the same in Python.
CREATE FUNCTION artifact_key(artifact text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        replace(lower(substring(artifact FROM '@(sha256(?::|%3[Aa])[0-9a-fA-F]{64})')), '%3a', ':'), artifact)
$$;

ALTER TABLE deployments ADD COLUMN hotfix boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN deployments.hotfix IS 'Marked by the source as an unplanned repair';
-- Hashes, since what is hashed may be longer than an ordered index can hold.
CREATE INDEX deployments_by_repository ON deployments USING hash (lower(repository));
CREATE INDEX deployments_by_commit ON deployments USING hash (lower(commit));
CREATE INDEX deployments_without_repository ON deployments USING hash (lower(commit)) WHERE repository IS NULL;
CREATE INDEX deployments_by_artifact ON deployments USING hash (artifact_key(artifact));

CREATE TABLE changes (
    repository   text NOT NULL,
    change_id    text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('commit', 'change')),
    committed_at timestamptz,
    pushed_at    timestamptz,
    opened_at    timestamptz,
    merged_at    timestamptz,
    time_created timestamptz NOT NULL
        GENERATED ALWAYS AS (coalesce(committed_at, pushed_at, opened_at, merged_at)) STORED,
    service      text,
    commit       text,
    head         text,
    branch       text,
    reverts      text,
    hotfix       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (repository, change_id)
);
COMMENT ON TABLE changes IS 'Commits that were pushed, and changes under review; those with merged_at are merged';
COMMENT ON COLUMN changes.change_id IS 'A commit''s full hash, or what the source identifies the change by';
COMMENT ON COLUMN changes.time_created IS 'The earliest time at which it is known to have been in version control';
COMMENT ON COLUMN changes.commit IS 'Of a merged change, the commit that it became on its target branch';
COMMENT ON COLUMN changes.head IS 'Of a merged change, its own last commit; after a squash it is not commit';
CREATE INDEX changes_by_time ON changes (time_created, repository, change_id);
CREATE INDEX changes_by_service ON changes (service, time_created);
CREATE INDEX changes_by_id ON changes USING hash (change_id);
CREATE INDEX changes_by_commit ON changes USING hash (commit) WHERE kind = 'change';

CREATE TABLE pushes (
    repository text NOT NULL,
    branch     text NOT NULL,
    commit     text NOT NULL,
    pushed_at  timestamptz NOT NULL,
    position   integer NOT NULL,
    before     text NOT NULL,
    after      text NOT NULL,
    truncated  boolean NOT NULL,
    PRIMARY KEY (repository, branch, commit)
);
COMMENT ON TABLE pushes IS 'When each commit came onto each branch; of several pushes the earliest';
COMMENT ON COLUMN pushes.position IS 'The commit''s place in its push, counted from 0 at the oldest';
COMMENT ON COLUMN pushes.before IS 'The branch''s tip before the push; empty when there was none, or it is unknown';
CREATE INDEX pushes_by_commit ON pushes USING hash (commit);

CREATE TABLE artifacts (
    digest     bytea PRIMARY KEY,
    artifact   text NOT NULL,
    repository text,
    commit     text,
    change_id  text
);
COMMENT ON TABLE artifacts IS 'What artifacts were built from; artifact is the artifact_key';
COMMENT ON COLUMN artifacts.digest IS 'SHA-256 of artifact, which may be longer than an ordered index can hold';
CREATE INDEX artifacts_by_repository ON artifacts (repository);
CREATE INDEX artifacts_without_repository ON artifacts USING hash (commit) WHERE repository IS NULL;
CREATE INDEX artifacts_by_change ON artifacts USING hash (change_id);

CREATE TABLE incidents (
    incident_source text NOT NULL,
    incident_id     text NOT NULL,
    detected_at     timestamptz,
    opened_at       timestamptz,
    resolved_at     timestamptz,
    told            jsonb NOT NULL,
    time_created    timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(detected_at, resolved_at)) STORED,
    service         text GENERATED ALWAYS AS (told -> 'service' ->> 1) STORED,
    environment     text GENERATED ALWAYS AS (told -> 'environment' ->> 1) STORED,
    repository      text GENERATED ALWAYS AS (told -> 'repository' ->> 1) STORED,
    deploy_id       text GENERATED ALWAYS AS (told -> 'deploy_id' ->> 1) STORED,
    commit          text GENERATED ALWAYS AS (told -> 'commit' ->> 1) STORED,
    artifact        text GENERATED ALWAYS AS (told -> 'artifact' ->> 1) STORED,
    ticket          text GENERATED ALWAYS AS (told -> 'ticket' ->> 1) STORED,
    PRIMARY KEY (incident_source, incident_id)
);
COMMENT ON COLUMN incidents.detected_at IS 'The earliest report of it; NULL while only its end is known';
COMMENT ON COLUMN incidents.opened_at IS 'The latest report of it: later than resolved_at when it was opened again';
COMMENT ON COLUMN incidents.told IS '{name: [microseconds, value]}: of each fact, what was told last';
CREATE INDEX incidents_by_place ON incidents (service, environment, time_created);
CREATE INDEX incidents_by_time ON incidents (time_created, incident_source, incident_id);
CREATE INDEX incidents_by_deployment ON incidents USING hash (deploy_id);
CREATE INDEX incidents_by_repository ON incidents USING hash (repository) WHERE commit IS NOT NULL;
CREATE INDEX incidents_without_repository ON incidents (incident_id) WHERE commit IS NOT NULL AND repository IS NULL;
CREATE INDEX incidents_by_commit ON incidents USING hash (commit);
CREATE INDEX incidents_by_artifact ON incidents USING hash (artifact_key(artifact));

CREATE TABLE corrections (
    deploy_id  text PRIMARY KEY,
    decided_at timestamptz NOT NULL,
    failed     boolean,
    unplanned  boolean,
    cause      text,
    cd_source  text NOT NULL,
    cd_id      text NOT NULL
);
COMMENT ON TABLE corrections IS 'What people said of a deployment; the last word counts, NULL is: let the rules decide';

CREATE TABLE relinks (
    service     text NOT NULL,
    environment text NOT NULL,
    PRIMARY KEY (service, environment)
);
COMMENT ON TABLE relinks IS 'Where facts came since links were computed; the relinker empties it';

CREATE TABLE attributions (
    deploy_id        text PRIMARY KEY,
    service          text NOT NULL,
    environment      text NOT NULL,
    deployed_at      timestamptz NOT NULL,
    role             text NOT NULL CHECK (role IN ('counted', 'rollback')),
    repository       text,
    commit           text,
    linked           boolean NOT NULL,
    changes          integer NOT NULL,
    failure_rule     text CHECK (failure_rule IN ('correction', 'link', 'rollback', 'revert', 'hotfix', 'incident')),
    failure_cause    text,
    recovered_at     timestamptz,
    recovery_seconds double precision,
    rework_rule      text CHECK (rework_rule IN ('correction', 'rollback', 'hotfix', 'revert', 'incident'))
);
COMMENT ON TABLE attributions IS 'Of each counted deployment and each rollback: did it fail, by which rule, was it planned';
COMMENT ON COLUMN attributions.linked IS 'Whether its revision is known among the commits of its repository';
COMMENT ON COLUMN attributions.changes IS 'How many commits were deployed by it for the first time';
COMMENT ON COLUMN attributions.failure_rule IS 'The first rule that matched; NULL: it did not fail';
COMMENT ON COLUMN attributions.recovery_seconds IS 'NULL while it has not recovered; negative when clocks disagree';
CREATE INDEX attributions_by_place
    ON attributions (service, environment, deployed_at) INCLUDE (role, linked, failure_rule, rework_rule);
CREATE INDEX attributions_by_time
    ON attributions (deployed_at) INCLUDE (service, environment, role, linked, failure_rule, rework_rule);

CREATE TABLE deployed_changes (
    service       text NOT NULL,
    environment   text NOT NULL,
    repository    text NOT NULL,
    change_id     text NOT NULL,
    kind          text NOT NULL,
    deploy_id     text NOT NULL,
    deployed_at   timestamptz NOT NULL,
    rule          text NOT NULL CHECK (rule IN ('revision', 'push order', 'merged change', 'merge order')),
    lead_seconds  double precision,
    merge_seconds double precision,
    PRIMARY KEY (service, environment, repository, change_id)
);
COMMENT ON TABLE deployed_changes IS 'The first deployment of each service and environment that contains a change';
COMMENT ON COLUMN deployed_changes.lead_seconds IS 'From the change to its deployment; NULL when it is no work of its own; negative when clocks disagree';
COMMENT ON COLUMN deployed_changes.merge_seconds IS 'From the merge to the deployment; NULL for commits; negative when clocks disagree';
CREATE INDEX deployed_changes_by_place
    ON deployed_changes (service, environment, deployed_at) INCLUDE (lead_seconds, merge_seconds);
CREATE INDEX deployed_changes_by_time
    ON deployed_changes (deployed_at) INCLUDE (service, environment, lead_seconds, merge_seconds);
CREATE INDEX deployed_changes_by_deployment ON deployed_changes USING hash (deploy_id);

-- What was recorded before this migration has no marks yet; these make the relinker look at all of it once.
INSERT INTO relinks SELECT DISTINCT service, environment FROM deployments;

CREATE OR REPLACE FUNCTION derived_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['cdevents_raw', 'deployments', 'deployment_frequency', 'changes', 'pushes', 'artifacts', 'incidents',
                 'corrections', 'relinks', 'attributions', 'deployed_changes']
$$;

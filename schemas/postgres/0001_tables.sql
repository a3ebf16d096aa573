-- The tables of the pipeline. cloudevents_raw, cdevents_raw and deployments keep the names and columns of the
-- system that this project replaces; what it adds stands below them in each table.

CREATE TABLE generations (
    generation     integer PRIMARY KEY,
    state          text NOT NULL CHECK (state IN ('building', 'active', 'retired', 'failed')),
    timezone       text NOT NULL,
    catalog_digest text NOT NULL DEFAULT '',
    mark           jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    activated_at   timestamptz
);
COMMENT ON TABLE generations IS 'Derived rows belong to a generation; dora recompute builds the next and makes it active in one transaction.';
CREATE UNIQUE INDEX one_active_generation ON generations ((true)) WHERE state = 'active';
CREATE UNIQUE INDEX one_building_generation ON generations ((true)) WHERE state = 'building';

CREATE TABLE cloudevents_raw (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content         json,
    event_timestamp timestamptz NOT NULL,
    source          text NOT NULL,
    id              text NOT NULL,
    type            text NOT NULL,
    subject         text,
    attributes      jsonb NOT NULL,
    body            bytea,
    digest          bytea NOT NULL,
    received_at     timestamptz NOT NULL,
    traceparent     text,
    fate            text NOT NULL CHECK (fate IN ('mapped', 'ignored', 'unmapped', 'dead')),
    reason          text,
    rule            text,
    outputs         jsonb NOT NULL DEFAULT '[]',
    topic           text NOT NULL,
    topic_partition integer NOT NULL,
    topic_offset    bigint NOT NULL,
    UNIQUE (source, id)
);
COMMENT ON COLUMN cloudevents_raw.content IS 'The event in CloudEvents JSON format; NULL once retention has removed it';
COMMENT ON COLUMN cloudevents_raw.event_timestamp IS 'The event''s own time, else its arrival';
COMMENT ON COLUMN cloudevents_raw.body IS 'The data''s bytes exactly as they were received';
COMMENT ON COLUMN cloudevents_raw.digest IS 'SHA-256 of the data; the same source and id with another digest is a conflict';
COMMENT ON COLUMN cloudevents_raw.outputs IS 'The CDEvents that it became: [{"source", "id", "type"}]';
CREATE INDEX cloudevents_raw_by_type ON cloudevents_raw (type, event_id);
CREATE INDEX cloudevents_raw_by_fate ON cloudevents_raw (fate, event_id);

CREATE TABLE cdevents_raw (
    cd_source         text NOT NULL,
    cd_id             text NOT NULL,
    cd_timestamp      timestamptz NOT NULL,
    cd_type           text NOT NULL,
    cd_subject_id     text NOT NULL,
    cd_subject_source text,
    content           json NOT NULL,
    cause_source      text NOT NULL,
    cause_id          text NOT NULL,
    rule              text NOT NULL DEFAULT '',
    traceparent       text,
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cd_source, cd_id)
);
COMMENT ON COLUMN cdevents_raw.rule IS 'The transformer, or the URL of the function, that made it';
CREATE INDEX cdevents_raw_by_cause ON cdevents_raw (cause_source, cause_id);
CREATE INDEX cdevents_raw_by_type ON cdevents_raw (cd_type, cd_timestamp);

CREATE TABLE deployments (
    deploy_id      text PRIMARY KEY,
    time_created   timestamptz NOT NULL,
    deploy_name    text NOT NULL,
    service        text NOT NULL,
    environment    text NOT NULL,
    repository     text,
    commit         text,
    artifact       text,
    channel        text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('deployed', 'upgraded', 'rolledback', 'failed', 'withdrawn')),
    outcome        text NOT NULL CHECK (outcome IN ('success', 'failure', 'withdrawn')),
    counted        boolean NOT NULL,
    counted_reason text NOT NULL,
    basis          text,
    evidence       bigint NOT NULL DEFAULT 0,
    decided_at     timestamptz NOT NULL,
    cd_source      text NOT NULL,
    cd_id          text NOT NULL
);
COMMENT ON COLUMN deployments.time_created IS 'The source''s completion time; the earliest report wins';
COMMENT ON COLUMN deployments.evidence IS 'How much was known when the report was made; more evidence replaces less';
COMMENT ON COLUMN deployments.decided_at IS 'The time told by the report that decided the other columns';
COMMENT ON COLUMN deployments.cd_id IS 'With cd_source, the CDEvent that decided this row';
CREATE INDEX deployments_by_service ON deployments (service, environment, time_created);
CREATE INDEX deployments_by_time ON deployments (time_created, deploy_id);
CREATE INDEX deployments_by_cdevent ON deployments (cd_source, cd_id);
CREATE INDEX deployments_by_channel ON deployments (service, environment, channel, time_created) WHERE counted;

CREATE TABLE deployment_frequency (
    service         text NOT NULL,
    environment     text NOT NULL,
    bucket          text NOT NULL CHECK (bucket IN ('day', 'week', 'month', 'year')),
    bucket_start    timestamptz NOT NULL,
    deployments     integer NOT NULL CHECK (deployments >= 0),
    deployment_days integer NOT NULL CHECK (deployment_days >= 0),
    PRIMARY KEY (service, environment, bucket, bucket_start)
);
COMMENT ON TABLE deployment_frequency IS 'Written by the windowed-table agent alone, in the configured time zone';
CREATE INDEX deployment_frequency_by_bucket ON deployment_frequency (bucket, bucket_start, service);

CREATE TABLE deadletters (
    deadletter_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage            text NOT NULL,
    reason           text NOT NULL,
    attempts         integer NOT NULL,
    source           text,
    id               text,
    type             text,
    key              bytea,
    value            bytea,
    headers          jsonb NOT NULL,
    origin_topic     text NOT NULL,
    origin_partition integer NOT NULL,
    origin_offset    bigint NOT NULL,
    failed_at        timestamptz NOT NULL,
    identity         bytea NOT NULL UNIQUE,
    state            text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'redriven', 'dropped'))
);
COMMENT ON COLUMN deadletters.identity IS 'SHA-256 over stage, origin and value: a dead letter told twice is one row';
COMMENT ON COLUMN deadletters.headers IS 'The record''s headers, in order: [[name, base64 of the value or null]]';
CREATE INDEX deadletters_by_state ON deadletters (state, deadletter_id);
-- A hash, since what a dead letter says its id is may be longer than an ordered index can hold.
CREATE INDEX deadletters_by_event ON deadletters USING hash (id);

-- Building a generation beside the active one, and making it the active one in one transaction.

CREATE FUNCTION derived_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['cdevents_raw', 'deployments', 'deployment_frequency'] $$;
COMMENT ON FUNCTION derived_tables() IS 'The tables that follow from cloudevents_raw; every generation has its own';

CREATE FUNCTION begin_generation(zone text, catalog text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    name   text;
    number integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('dora.generation'));
    UPDATE generations SET state = 'failed' WHERE state = 'building';
    DROP SCHEMA IF EXISTS building CASCADE;
    CREATE SCHEMA building;
    FOREACH name IN ARRAY derived_tables() LOOP
        EXECUTE format('CREATE TABLE building.%I (LIKE public.%I INCLUDING ALL)', name, name);
    END LOOP;
    CREATE TABLE building.fates (
        source text, id text, fate text NOT NULL, reason text, rule text, outputs jsonb NOT NULL,
        PRIMARY KEY (source, id)
    );
    INSERT INTO generations (generation, state, timezone, catalog_digest)
    SELECT max(generation) + 1, 'building', zone, catalog FROM generations
    RETURNING generation INTO number;
    RETURN number;
END
$$;

CREATE FUNCTION activate_generation(number integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    -- Waits for the transactions of every worker, and holds off new ones until the switch is done.
    PERFORM pg_advisory_xact_lock(hashtext('dora.generation'));
    PERFORM FROM generations WHERE generation = number AND state = 'building';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'generation % is not being built', number;
    END IF;
    UPDATE public.cloudevents_raw AS event
    SET fate = told.fate, reason = told.reason, rule = told.rule, outputs = told.outputs
    FROM building.fates AS told
    WHERE event.source = told.source AND event.id = told.id
      AND (event.fate, event.reason, event.rule, event.outputs)
          IS DISTINCT FROM (told.fate, told.reason, told.rule, told.outputs);
    CREATE SCHEMA retired;
    FOREACH name IN ARRAY derived_tables() LOOP
        EXECUTE format('ALTER TABLE public.%I SET SCHEMA retired', name);
        EXECUTE format('ALTER TABLE building.%I SET SCHEMA public', name);
    END LOOP;
    UPDATE generations SET state = 'retired' WHERE state = 'active';
    UPDATE generations SET state = 'active', activated_at = now() WHERE generation = number;
    DROP SCHEMA building CASCADE;
    DROP SCHEMA retired CASCADE;
END
$$;

CREATE FUNCTION abandon_generation(number integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('dora.generation'));
    UPDATE generations SET state = 'failed' WHERE generation = number AND state = 'building';
    IF FOUND THEN
        DROP SCHEMA IF EXISTS building CASCADE;
    END IF;
END
$$;

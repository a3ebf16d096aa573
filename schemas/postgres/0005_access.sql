-- Who may ask the query API, and rights on tables that outlive a recompute.

CREATE TABLE api_keys (
    key_id     text PRIMARY KEY CHECK (key_id ~ '^[0-9a-z]{10}$'),
    name       text NOT NULL CHECK (name <> ''),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    teams      text[] CHECK (cardinality(teams) > 0),
    rights     text[] NOT NULL CHECK (rights <@ ARRAY['metrics', 'events'] AND cardinality(rights) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of the secret, which has 256 random bits and is kept nowhere';
COMMENT ON COLUMN api_keys.teams IS 'Whose services the key sees; NULL: everything';
CREATE UNIQUE INDEX api_keys_by_name ON api_keys (name) WHERE revoked_at IS NULL;

-- What the query process may learn of keys: what the one is good for whose secret it was shown. It runs as the
-- owner of the table, so that the role of the query process need not be able to read the table.
CREATE FUNCTION authenticate_key(shown_id text, shown_digest bytea)
RETURNS TABLE (key_id text, name text, teams text[], rights text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT key.key_id, key.name, key.teams, key.rights, key.expires_at
      FROM public.api_keys AS key
     WHERE key.key_id = shown_id
       AND key.digest = shown_digest
       AND key.revoked_at IS NULL
       AND (key.expires_at IS NULL OR key.expires_at > now())
$$;
REVOKE EXECUTE ON FUNCTION authenticate_key FROM PUBLIC;

-- Gives everybody the rights on one table that they have on another.
CREATE FUNCTION copy_rights(original regclass, other regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT acl.privilege_type AS privilege,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee
          FROM pg_class AS class, aclexplode(class.relacl) AS acl
         WHERE class.oid = original AND acl.grantee <> class.relowner
    LOOP
        EXECUTE format('GRANT %s ON TABLE %s TO %s', held.privilege, other, held.grantee);
    END LOOP;
END
$$;

-- As in 0003, and the new tables are given the rights of those whose place they take.
CREATE OR REPLACE FUNCTION activate_generation(number integer) RETURNS void LANGUAGE plpgsql AS $$
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
        PERFORM copy_rights(format('public.%I', name)::regclass, format('building.%I', name)::regclass);
        EXECUTE format('ALTER TABLE public.%I SET SCHEMA retired', name);
        EXECUTE format('ALTER TABLE building.%I SET SCHEMA public', name);
    END LOOP;
    UPDATE generations SET state = 'retired' WHERE state = 'active';
    UPDATE generations SET state = 'active', activated_at = now() WHERE generation = number;
    DROP SCHEMA building CASCADE;
    DROP SCHEMA retired CASCADE;
END
$$;

-- Every transaction of a worker begins with enter_generation: it says whether the worker's generation is
-- active, being built or over, lets a worker that builds see the tables under construction first, and holds
-- off the switch to another generation until the transaction has ended.

CREATE FUNCTION enter_generation(wanted integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('dora.generation'));
    SELECT state INTO found FROM generations WHERE generation = wanted;
    IF found = 'building' THEN
        PERFORM set_config('search_path', 'building, public', true);
    END IF;
    RETURN found;
END
$$;

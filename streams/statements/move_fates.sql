-- Only what was dead may become something else: what was told of an event before stays told.
UPDATE cloudevents_raw AS event
SET fate = told.fate, reason = told.reason, rule = told.rule, outputs = told.outputs::jsonb,
    recorded_in = pg_current_xact_id() -- news to whoever follows what is recorded
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS told (source, id, digest, fate, reason, rule, outputs)
WHERE event.source = told.source AND event.id = told.id AND event.digest = told.digest AND event.fate = 'dead'

UPDATE fates AS event
SET fate = told.fate, reason = told.reason, rule = told.rule, outputs = told.outputs::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS told (source, id, fate, reason, rule, outputs)
WHERE event.source = told.source AND event.id = told.id AND event.fate = 'dead'

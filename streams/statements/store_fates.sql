INSERT INTO fates (source, id, fate, reason, rule, outputs)
SELECT source, id, fate, reason, rule, outputs::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS row (source, id, fate, reason, rule, outputs)
ON CONFLICT (source, id) DO NOTHING

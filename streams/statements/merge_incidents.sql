-- The merge of streams/facts/incidents.py: the earliest and the latest report, the latest end, and of each
-- further fact what was told last.
INSERT INTO incidents AS known (incident_source, incident_id, detected_at, opened_at, resolved_at, told)
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told::jsonb
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::text[])
    AS row (incident_source, incident_id, detected_at, opened_at, resolved_at, told)
ON CONFLICT (incident_source, incident_id) DO UPDATE SET
    detected_at = LEAST(known.detected_at, excluded.detected_at),
    opened_at = GREATEST(known.opened_at, excluded.opened_at),
    resolved_at = GREATEST(known.resolved_at, excluded.resolved_at),
    told = (
        SELECT coalesce(jsonb_object_agg(last.key, last.value), '{}')
        FROM (SELECT DISTINCT ON (each.key) each.key, each.value
              FROM (SELECT * FROM jsonb_each(known.told)
                    UNION ALL SELECT * FROM jsonb_each(excluded.told)) AS each
              ORDER BY each.key, (each.value ->> 0)::bigint DESC, (each.value ->> 1) COLLATE "C" DESC) AS last)

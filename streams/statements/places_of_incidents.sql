-- Where incidents were until now.
-- $1 sources and $2 ids
SELECT DISTINCT incident.service, incident.environment
FROM unnest($1::text[], $2::text[]) AS wanted (incident_source, incident_id)
JOIN incidents AS incident USING (incident_source, incident_id)
WHERE incident.service IS NOT NULL AND incident.environment IS NOT NULL

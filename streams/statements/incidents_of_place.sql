-- Incidents of a service and environment, and those that may name one of its deployments.
-- $1 service, $2 environment, $3 deploy_ids, $4 repositories, $5 commits, $6 artifact keys
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents WHERE service = $1 AND environment = $2
UNION
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents WHERE deploy_id = ANY ($3::text[])
UNION
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents WHERE commit IS NOT NULL AND repository = ANY ($4::text[])
UNION
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents WHERE commit = ANY ($5::text[])
UNION
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents WHERE artifact_key(artifact) = ANY ($6::text[])
UNION
SELECT incident_source, incident_id, detected_at, opened_at, resolved_at, told
FROM incidents
WHERE commit IS NOT NULL AND repository IS NULL
  AND EXISTS (SELECT FROM pushes WHERE pushes.commit = incidents.commit AND pushes.repository = ANY ($4::text[]))

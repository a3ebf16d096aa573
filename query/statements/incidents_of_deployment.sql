-- Incidents that blame a deployment, that its failure is told by, or that began where it runs before the next one.
-- $1 deploy_id, $2 service, $3 environment, $4 the cause of its failure, $5 its commits, $6 its artifact, $7 from,
-- $8 to (NULL: until now), $9 most rows
SELECT incident_source, incident_id, time_created, detected_at, resolved_at, service, environment, is_open AS open
  FROM (SELECT *, detected_at IS NOT NULL
                  AND (resolved_at IS NULL OR (resolved_at >= detected_at AND opened_at > resolved_at)) AS is_open
          FROM (SELECT * FROM incidents WHERE deploy_id = $1::text
                UNION
                SELECT * FROM incidents WHERE incident_id = $4::text AND (service, environment) = ($2, $3)
                UNION
                SELECT * FROM incidents WHERE incident_id = $4::text AND commit = ANY ($5::text[])
                UNION
                SELECT * FROM incidents WHERE incident_id = $4::text AND artifact_key(artifact) = artifact_key($6::text)
                UNION
                SELECT *
                  FROM incidents
                 WHERE (service, environment) = ($2::text, $3::text)
                   AND time_created >= $7::timestamptz
                   AND ($8::timestamptz IS NULL OR time_created < $8)) AS found) AS incident
 ORDER BY incident_id IS DISTINCT FROM $4, time_created, incident_source, incident_id
 LIMIT $9;

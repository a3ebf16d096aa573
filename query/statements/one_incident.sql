-- One incident.
-- $1 source, $2 id
SELECT incident_source, incident_id, time_created, detected_at, opened_at, resolved_at, service, environment, repository,
       deploy_id, commit, artifact, ticket,
       detected_at IS NOT NULL
           AND (resolved_at IS NULL OR (resolved_at >= detected_at AND opened_at > resolved_at)) AS open
  FROM incidents
 WHERE (incident_source, incident_id) = ($1, $2);

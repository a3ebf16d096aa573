-- Incidents, the latest first.
-- $1 services, $2 environments, $3 from, $4 to, $5 open (NULL: all), $6 to $8 behind this time, source and id,
-- $9 most rows
SELECT incident_source, incident_id, time_created, detected_at, resolved_at, service, environment, repository,
       deploy_id, commit, artifact, ticket, is_open AS open
  FROM (SELECT *, detected_at IS NOT NULL
                  AND (resolved_at IS NULL OR (resolved_at >= detected_at AND opened_at > resolved_at)) AS is_open
          FROM incidents) AS incident
 WHERE ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND ($3::timestamptz IS NULL OR time_created >= $3)
   AND ($4::timestamptz IS NULL OR time_created < $4)
   AND ($5::boolean IS NULL OR is_open = $5)
   AND ($6::timestamptz IS NULL OR (time_created, incident_source, incident_id) < ($6, $7::text, $8::text))
 ORDER BY time_created DESC, incident_source DESC, incident_id DESC
 LIMIT $9;

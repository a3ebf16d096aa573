-- The failed deployments of a place whose failure is told by an incident, and the one that the incident names.
-- $1 incident_id, $2 service, $3 environment, $4 deploy_id, $5 most rows
SELECT deploy_id, service, environment, deployed_at, failure_rule, recovered_at
  FROM attributions
 WHERE (service, environment) = ($2::text, $3::text) AND failure_rule IS NOT NULL AND failure_cause = $1
UNION
SELECT deploy_id, service, environment, deployed_at, failure_rule, recovered_at
  FROM attributions
 WHERE deploy_id = $4
 ORDER BY deployed_at, deploy_id
 LIMIT $5;

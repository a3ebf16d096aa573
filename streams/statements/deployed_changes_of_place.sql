-- $1 service, $2 environment
SELECT service, environment, repository, change_id, kind, deploy_id, deployed_at, rule, lead_seconds, merge_seconds
FROM deployed_changes WHERE service = $1 AND environment = $2

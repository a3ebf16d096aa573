-- $1 service, $2 environment
SELECT deploy_id, service, environment, deployed_at, role, repository, commit, linked, changes, failure_rule,
       failure_cause, recovered_at, recovery_seconds, rework_rule, day, lead_times, merge_times
FROM attributions WHERE service = $1 AND environment = $2

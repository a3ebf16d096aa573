-- $1 service, $2 environment
SELECT deploy_id, time_created, deploy_name, service, environment, repository, commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, evidence, decided_at, cd_source, cd_id, hotfix
FROM deployments WHERE service = $1 AND environment = $2

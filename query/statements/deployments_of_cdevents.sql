-- Deployments that these CDEvents decided, and those that they tell of although another one decided.
-- $1 sources and $2 ids of the CDEvents, $3 deploy_ids
SELECT deploy_id, time_created, deploy_name, service, environment, repository, commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id
  FROM deployments
 WHERE (cd_source, cd_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
UNION
SELECT deploy_id, time_created, deploy_name, service, environment, repository, commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id
  FROM deployments
 WHERE deploy_id = ANY ($3::text[])
 ORDER BY time_created, deploy_id;

-- Deployments that these CDEvents decided, and those that they tell of although another one decided.
-- $1 sources and $2 ids of the CDEvents, $3 deploy_ids
SELECT d.deploy_id, time_created, deploy_name, d.service, d.environment, d.repository, d.commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id,
       failure_rule, failure_cause, recovered_at, rework_rule
  FROM deployments AS d
  LEFT JOIN attributions USING (deploy_id)
 WHERE (cd_source, cd_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
UNION
SELECT d.deploy_id, time_created, deploy_name, d.service, d.environment, d.repository, d.commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id,
       failure_rule, failure_cause, recovered_at, rework_rule
  FROM deployments AS d
  LEFT JOIN attributions USING (deploy_id)
 WHERE deploy_id = ANY ($3::text[])
 ORDER BY time_created, deploy_id;

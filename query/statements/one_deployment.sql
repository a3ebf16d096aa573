-- One deployment with what is known of its failure and its revision, and the times of those beside it.
-- $1 deploy_id
SELECT d.deploy_id, time_created, deploy_name, d.service, d.environment, d.repository, d.commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id, hotfix,
       role, linked, changes, a.repository AS revision_repository, a.commit AS revision,
       failure_rule, failure_cause, recovered_at, recovery_seconds, rework_rule,
       following.deploy_id AS next_id, following.at AS next_at, preceding.deploy_id AS previous_id
  FROM deployments AS d
  LEFT JOIN attributions AS a USING (deploy_id)
  LEFT JOIN LATERAL (
    SELECT o.deploy_id, o.time_created AS at
      FROM deployments AS o
     WHERE (o.service, o.environment) = (d.service, d.environment)
       AND o.time_created >= d.time_created
       AND (o.time_created, o.deploy_id) > (d.time_created, d.deploy_id)
     ORDER BY o.time_created, o.deploy_id
     LIMIT 1) AS following ON true
  LEFT JOIN LATERAL (
    SELECT o.deploy_id
      FROM deployments AS o
     WHERE (o.service, o.environment) = (d.service, d.environment)
       AND o.time_created <= d.time_created
       AND (o.time_created, o.deploy_id) < (d.time_created, d.deploy_id)
     ORDER BY o.time_created DESC, o.deploy_id DESC
     LIMIT 1) AS preceding ON true
 WHERE d.deploy_id = $1;

-- Deployments, the latest first.
-- $1 several services, $2 several environments, $3 from, $4 to, $5 counted, $6 kind, $7 outcome (NULL: all),
-- $8 and $9 behind this time and deploy_id, $10 most rows,
-- $11 one service, $12 one environment (NULL: all), since an array of one would not find the order of an index,
-- $13 failed, $14 unplanned (NULL: all)
SELECT d.deploy_id, time_created, deploy_name, d.service, d.environment, d.repository, d.commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id,
       failure_rule, failure_cause, recovered_at, rework_rule
  FROM deployments AS d
  LEFT JOIN attributions USING (deploy_id)
 WHERE ($1::text[] IS NULL OR d.service = ANY ($1))
   AND ($2::text[] IS NULL OR d.environment = ANY ($2))
   AND ($3::timestamptz IS NULL OR time_created >= $3)
   AND ($4::timestamptz IS NULL OR time_created < $4)
   AND ($5::boolean IS NULL OR counted = $5)
   AND ($6::text IS NULL OR kind = $6)
   AND ($7::text IS NULL OR outcome = $7)
   AND ($13::boolean IS NULL OR (failure_rule IS NOT NULL) = $13)
   AND ($14::boolean IS NULL OR (rework_rule IS NOT NULL) = $14)
   AND ($11::text IS NULL OR d.service = $11)
   AND ($12::text IS NULL OR d.environment = $12)
   AND ($8::timestamptz IS NULL OR (time_created, d.deploy_id) < ($8, $9::text))
 ORDER BY time_created DESC, d.deploy_id DESC
 LIMIT $10;

-- Deployments, the latest first.
-- $1 several services, $2 several environments, $3 from, $4 to, $5 counted, $6 kind, $7 outcome (NULL: all),
-- $8 and $9 behind this time and deploy_id, $10 most rows,
-- $11 one service, $12 one environment (NULL: all), since an array of one would not find the order of an index
SELECT deploy_id, time_created, deploy_name, service, environment, repository, commit, artifact, channel, kind,
       outcome, counted, counted_reason, basis, decided_at, cd_source, cd_id
  FROM deployments
 WHERE ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND ($3::timestamptz IS NULL OR time_created >= $3)
   AND ($4::timestamptz IS NULL OR time_created < $4)
   AND ($5::boolean IS NULL OR counted = $5)
   AND ($6::text IS NULL OR kind = $6)
   AND ($7::text IS NULL OR outcome = $7)
   AND ($11::text IS NULL OR service = $11)
   AND ($12::text IS NULL OR environment = $12)
   AND ($8::timestamptz IS NULL OR (time_created, deploy_id) < ($8, $9::text))
 ORDER BY time_created DESC, deploy_id DESC
 LIMIT $10;

-- Changes in the first deployment of each service and environment that contains them, the latest deployed first.
-- $1 services, $2 environments, $3 repository, $4 kind, $5 from, $6 to (NULL: all), $7 the metric that counts them,
-- $8 to $12 behind this time, service, environment, repository and change_id, $13 most rows
SELECT change.repository, change.change_id, change.kind, time_created, committed_at, pushed_at, opened_at, merged_at,
       deployed.service, change.commit, head, branch, reverts, hotfix, deployed.environment, deploy_id, deployed_at,
       rule, lead_seconds, merge_seconds
  FROM deployed_changes AS deployed
  JOIN changes AS change USING (repository, change_id)
 WHERE ($1::text[] IS NULL OR deployed.service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND ($3::text IS NULL OR repository = $3)
   AND ($4::text IS NULL OR change.kind = $4)
   AND ($5::timestamptz IS NULL OR deployed_at >= $5)
   AND ($6::timestamptz IS NULL OR deployed_at < $6)
   AND ($7::text IS NULL OR CASE $7 WHEN 'change-lead-time' THEN lead_seconds ELSE merge_seconds END >= 0)
   AND ($8::timestamptz IS NULL
        OR (deployed_at, deployed.service, environment, repository, change_id)
           < ($8, $9::text, $10::text, $11::text, $12::text))
 ORDER BY deployed_at DESC, deployed.service DESC, environment DESC, repository DESC, change_id DESC
 LIMIT $13;

-- The changes that this deployment brought for the first time, the latest made first.
-- $1 deploy_id, $2 most rows
SELECT change.repository, change.change_id, change.kind, time_created, merged_at, change.commit, branch, reverts, hotfix,
       rule, lead_seconds, merge_seconds
  FROM deployed_changes AS deployed
  JOIN changes AS change USING (repository, change_id)
 WHERE deploy_id = $1
 ORDER BY time_created DESC, change.repository, change.change_id
 LIMIT $2;

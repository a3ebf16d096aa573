-- One change.
-- $1 repository, $2 change_id
SELECT repository, change_id, kind, time_created, committed_at, pushed_at, opened_at, merged_at, service, commit, head,
       branch, reverts, hotfix, services
  FROM changes
 WHERE (repository, change_id) = ($1, $2);

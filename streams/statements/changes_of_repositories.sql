-- $1 repositories
SELECT repository, change_id, kind, committed_at, pushed_at, opened_at, merged_at, service, commit, head, branch,
       reverts, hotfix, services
FROM changes WHERE repository = ANY ($1::text[])

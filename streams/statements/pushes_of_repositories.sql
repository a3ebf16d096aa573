-- $1 repositories
SELECT repository, branch, commit, pushed_at, position, before, after, truncated
FROM pushes WHERE repository = ANY ($1::text[])

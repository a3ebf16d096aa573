-- The repositories to which these commits were pushed, or of which these are changes.
-- $1 commits, $2 change_ids
SELECT repository FROM pushes WHERE commit = ANY ($1::text[])
UNION
SELECT repository FROM changes WHERE kind = 'change' AND commit = ANY ($1::text[])
UNION
SELECT repository FROM changes WHERE change_id = ANY ($2::text[])

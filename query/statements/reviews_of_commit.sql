-- The merged changes that became a commit.
-- $1 repository, $2 commit, $3 most rows
SELECT repository, change_id, merged_at
  FROM changes
 WHERE kind = 'change' AND commit = $2 AND repository = $1
 ORDER BY merged_at, change_id
 LIMIT $3;

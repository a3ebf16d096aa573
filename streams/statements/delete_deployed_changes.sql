-- $1 service, $2 environment, $3 repositories and $4 change_ids
DELETE FROM deployed_changes AS known
USING unnest($3::text[], $4::text[]) AS gone (repository, change_id)
WHERE known.service = $1 AND known.environment = $2
  AND known.repository = gone.repository AND known.change_id = gone.change_id

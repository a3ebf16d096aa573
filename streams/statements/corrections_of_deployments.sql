-- $1 deploy_ids
SELECT deploy_id, decided_at, failed, unplanned, cause, cd_source, cd_id
FROM corrections WHERE deploy_id = ANY ($1::text[])

-- $1 service, $2 environment, $3 deploy_ids
DELETE FROM attributions WHERE service = $1 AND environment = $2 AND deploy_id = ANY ($3::text[])

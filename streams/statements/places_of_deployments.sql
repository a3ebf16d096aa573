-- Where deployments were until now: an event that moves one leaves links behind there.
-- $1 deploy_ids
SELECT DISTINCT service, environment FROM deployments WHERE deploy_id = ANY ($1::text[])

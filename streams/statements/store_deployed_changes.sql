INSERT INTO deployed_changes (
    service, environment, repository, change_id, kind, deploy_id, deployed_at, rule, lead_seconds, merge_seconds
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
    $9::double precision[], $10::double precision[]
)
ON CONFLICT (service, environment, repository, change_id) DO UPDATE SET
    (kind, deploy_id, deployed_at, rule, lead_seconds, merge_seconds)
    = (excluded.kind, excluded.deploy_id, excluded.deployed_at, excluded.rule, excluded.lead_seconds,
       excluded.merge_seconds)

INSERT INTO link_days (
    service, environment, day, deployments, counted, failed, unrecovered, unplanned, linked, lead_times,
    merge_times, recovery_times, undeployed
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::integer[], $5::integer[], $6::integer[], $7::integer[],
    $8::integer[], $9::integer[], $10::bytea[], $11::bytea[], $12::bytea[],
    $13::integer[]
)
ON CONFLICT (service, environment, day) DO UPDATE SET
    (deployments, counted, failed, unrecovered, unplanned, linked, lead_times, merge_times, recovery_times,
     undeployed)
    = (excluded.deployments, excluded.counted, excluded.failed, excluded.unrecovered, excluded.unplanned,
       excluded.linked, excluded.lead_times, excluded.merge_times, excluded.recovery_times,
       excluded.undeployed)

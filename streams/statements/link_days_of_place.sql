-- $1 service, $2 environment
SELECT service, environment, day, deployments, counted, failed, unrecovered, unplanned, linked, lead_times,
       merge_times, recovery_times, undeployed
FROM link_days WHERE service = $1 AND environment = $2

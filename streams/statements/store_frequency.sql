INSERT INTO deployment_frequency (service, environment, bucket, bucket_start, deployments, deployment_days)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[], $6::integer[])
ON CONFLICT (service, environment, bucket, bucket_start)
DO UPDATE SET deployments = excluded.deployments, deployment_days = excluded.deployment_days

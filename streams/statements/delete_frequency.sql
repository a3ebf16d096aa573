DELETE FROM deployment_frequency AS known
USING unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS gone (service, environment, bucket, bucket_start)
WHERE known.service = gone.service AND known.environment = gone.environment
  AND known.bucket = gone.bucket AND known.bucket_start = gone.bucket_start

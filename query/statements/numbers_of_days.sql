-- The day's number in which each of these deployments counts.
-- $1 services, $2 environments, $3 where their days begin
SELECT service, environment, bucket_start, deployments
  FROM deployment_frequency
  JOIN unnest($1::text[], $2::text[], $3::timestamptz[]) AS wanted (service, environment, bucket_start)
 USING (service, environment, bucket_start)
 WHERE bucket = 'day';

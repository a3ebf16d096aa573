-- Deployments per environment and day, services summed.
-- $1 services, $2 environments (NULL: all), $3 from, $4 to
SELECT environment, bucket_start, sum(deployments)::bigint AS deployments
  FROM deployment_frequency
 WHERE bucket = 'day'
   AND deployments > 0
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND bucket_start >= $3::timestamptz
   AND bucket_start < $4::timestamptz
 GROUP BY environment, bucket_start;

-- The days on which each of these services was deployed to at least one of the environments.
-- $1 services, $2 environments (NULL: all), $3 from, $4 most rows
SELECT DISTINCT service, bucket_start
  FROM deployment_frequency
 WHERE bucket = 'day'
   AND deployments > 0
   AND service = ANY ($1::text[])
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND bucket_start >= $3::timestamptz
 LIMIT $4;

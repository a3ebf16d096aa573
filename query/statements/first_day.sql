-- The first day with a deployment.
-- $1 services, $2 environments (NULL: all)
SELECT bucket_start AS first
  FROM deployment_frequency
 WHERE bucket = 'day'
   AND deployments > 0
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
 ORDER BY bucket_start
 LIMIT 1;

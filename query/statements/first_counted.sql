-- The first counted deployment.
-- $1 services, $2 environments (NULL: all)
SELECT time_created AS first
  FROM deployments
 WHERE counted
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
 ORDER BY time_created
 LIMIT 1;

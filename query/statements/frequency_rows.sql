-- Per service and bucket, environments summed. A table of one row per service, environment and bucket: its size
-- does not depend on how many events there were.
-- $1 bucket, $2 services, $3 environments, $4 from, $5 to (NULL: all), $6 most rows
SELECT service,
       bucket_start,
       sum(deployments)::bigint AS deployments,
       count(*)                 AS environments,
       max(deployment_days)     AS deployment_days
  FROM deployment_frequency
 WHERE bucket = $1
   AND deployments > 0
   AND ($2::text[] IS NULL OR service = ANY ($2))
   AND ($3::text[] IS NULL OR environment = ANY ($3))
   AND ($4::timestamptz IS NULL OR bucket_start >= $4)
   AND ($5::timestamptz IS NULL OR bucket_start < $5)
 GROUP BY service, bucket_start
 ORDER BY bucket_start, service COLLATE "C"
 LIMIT $6;

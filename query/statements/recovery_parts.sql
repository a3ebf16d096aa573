-- Recovery times of failed deployments, by bucket and environment, and how many have not recovered.
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends
SELECT environment,
       width_bucket(deployed_at, $3::timestamptz[]) - 1                            AS part,
       array_agg(recovery_seconds) FILTER (WHERE recovery_seconds IS NOT NULL) AS seconds,
       count(*) FILTER (WHERE recovery_seconds IS NULL)                        AS unfinished
  FROM attributions
 WHERE role = 'counted'
   AND failure_rule IS NOT NULL
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND deployed_at >= ($3::timestamptz[])[1]
   AND deployed_at < $4::timestamptz
 GROUP BY 1, 2;

-- Deployments and rollbacks by bucket and environment: how many there were, failed, were unplanned, have a revision
-- that is known.
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends
SELECT environment,
       width_bucket(deployed_at, $3::timestamptz[]) - 1                             AS part,
       count(*)                                                                     AS deployments,
       count(*) FILTER (WHERE role = 'counted')                                 AS counted,
       count(*) FILTER (WHERE role = 'counted' AND failure_rule IS NOT NULL)    AS failed,
       count(*) FILTER (WHERE rework_rule IS NOT NULL)                          AS unplanned,
       count(*) FILTER (WHERE role = 'counted' AND linked)                      AS linked
  FROM attributions
 WHERE ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND deployed_at >= ($3::timestamptz[])[1]
   AND deployed_at < $4::timestamptz
 GROUP BY 1, 2;

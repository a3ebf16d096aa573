-- Deployments and rollbacks by bucket and environment: how many there were, failed, were unplanned, have a revision
-- that is known; and the times of their changes, packed, for a metric that is made of them.
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends, $5 the metric
SELECT environment,
       part,
       count(*)                                                              AS deployments,
       count(*) FILTER (WHERE role = 'counted')                              AS counted,
       count(*) FILTER (WHERE role = 'counted' AND failure_rule IS NOT NULL) AS failed,
       count(*) FILTER (WHERE rework_rule IS NOT NULL)                       AS unplanned,
       count(*) FILTER (WHERE role = 'counted' AND linked)                   AS linked,
       0::bigint                                                             AS unfinished,
       string_agg(times, ''::bytea)                                          AS packed
  FROM (
    SELECT environment,
           width_bucket(deployed_at, $3::timestamptz[]) - 1 AS part,
           role,
           failure_rule,
           rework_rule,
           linked,
           CASE $5::text
               WHEN 'change-lead-time' THEN lead_times
               WHEN 'merge-to-deploy' THEN merge_times
           END                                              AS times
      FROM attributions
     WHERE ($1::text[] IS NULL OR service = ANY ($1))
       AND ($2::text[] IS NULL OR environment = ANY ($2))
       AND deployed_at >= ($3::timestamptz[])[1]
       AND deployed_at < $4::timestamptz
    -- Without a fence PostgreSQL expects as many groups as rows, and sorts them all.
    OFFSET 0) AS placed
 GROUP BY environment, part;

-- What link_days holds, by bucket and environment: the counts, and the durations of one metric: of changes, where it is
-- one of these, else recovery times. For windows of whole days of the configured zone.
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends, $5 the metric
SELECT environment,
       width_bucket(day, $3::timestamptz[]) - 1 AS part,
       sum(deployments)                         AS deployments,
       sum(counted)                             AS counted,
       sum(failed)                              AS failed,
       sum(unplanned)                           AS unplanned,
       sum(linked)                              AS linked,
       sum(unrecovered)                         AS unfinished,
       string_agg(CASE $5::text
                      WHEN 'change-lead-time' THEN lead_times
                      WHEN 'merge-to-deploy' THEN merge_times
                      ELSE recovery_times
                  END, ''::bytea)               AS packed
  FROM link_days
 WHERE deployments > 0
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND day >= ($3::timestamptz[])[1]
   AND day < $4::timestamptz
 GROUP BY 1, 2;

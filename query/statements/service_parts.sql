-- What happened to a service, by bucket: deployments that count and went well, that count and failed, rollbacks, and
-- those that do not count.
-- $1 service, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends
SELECT width_bucket(time_created, $3::timestamptz[]) - 1                  AS part,
       count(*) FILTER (WHERE counted AND failure_rule IS NULL)           AS good,
       count(*) FILTER (WHERE counted AND failure_rule IS NOT NULL)       AS failed,
       count(*) FILTER (WHERE NOT counted AND kind = 'rolledback')        AS rollbacks,
       count(*) FILTER (WHERE NOT counted AND kind <> 'rolledback')       AS uncounted
  FROM deployments AS d
  LEFT JOIN attributions USING (deploy_id)
 WHERE d.service = $1
   AND ($2::text[] IS NULL OR d.environment = ANY ($2))
   AND time_created >= ($3::timestamptz[])[1]
   AND time_created < $4::timestamptz
 GROUP BY 1
 ORDER BY 1;

-- Lead times of a service's changes, counted in cells of time and duration.
-- $1 service, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends, $5 where the bands
-- of seconds begin, from 0
SELECT width_bucket(deployed_at, $3::timestamptz[]) - 1             AS part,
       width_bucket(lead_seconds, $5::double precision[]) - 1       AS band,
       count(*)                                                     AS changes
  FROM deployed_changes
 WHERE service = $1
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND deployed_at >= ($3::timestamptz[])[1]
   AND deployed_at < $4::timestamptz
   AND lead_seconds >= 0
 GROUP BY 1, 2
 ORDER BY 1, 2;

-- Counted deployments per service, environment and day, for a zone that is not the configured one. The days are given
-- by where they begin, so that one calendar decides and not two.
-- $1 services, $2 environments (NULL: all), $3 where the days begin, $4 where the last one ends, $5 most rows
SELECT service,
       environment,
       width_bucket(time_created, $3::timestamptz[]) - 1 AS day,
       count(*)                                          AS deployments
  FROM deployments
 WHERE counted
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND time_created >= ($3::timestamptz[])[1]
   AND time_created < $4::timestamptz
 GROUP BY 1, 2, 3
 LIMIT $5;

-- Counted deployments per environment and day, services summed, for a zone that is not the configured one.
-- $1 services, $2 environments (NULL: all), $3 where the days begin, $4 where the last one ends
SELECT environment, day, count(*) AS deployments
  FROM (
    SELECT environment, width_bucket(time_created, $3::timestamptz[]) - 1 AS day
      FROM deployments
     WHERE counted
       AND ($1::text[] IS NULL OR service = ANY ($1))
       AND ($2::text[] IS NULL OR environment = ANY ($2))
       AND time_created >= ($3::timestamptz[])[1]
       AND time_created < $4::timestamptz
    -- Without a fence PostgreSQL expects as many groups as rows, and sorts them all.
    OFFSET 0) AS placed
 GROUP BY environment, day;

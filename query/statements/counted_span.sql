-- When the first and the last of the counted deployments were.
-- $1 services, $2 environments, $3 from, $4 to (NULL: all)
SELECT min(time_created) AS first, max(time_created) AS last
  FROM deployments
 WHERE counted
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND ($3::timestamptz IS NULL OR time_created >= $3)
   AND ($4::timestamptz IS NULL OR time_created < $4);

-- How many commits of these days no deployment contains yet.
-- $1 services, $2 environments (NULL: all), $3 from, $4 to
SELECT coalesce(sum(undeployed), 0)::bigint AS commits
  FROM link_days
 WHERE undeployed > 0
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL OR environment = ANY ($2))
   AND day >= $3::timestamptz
   AND day < $4::timestamptz;

-- Lead times of changes, packed, by bucket and environment. The buckets are given by where they begin.
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends
SELECT environment, part, string_agg(float8send(lead_seconds), ''::bytea) AS packed, 0::bigint AS unfinished
  FROM (
    SELECT environment, width_bucket(deployed_at, $3::timestamptz[]) - 1 AS part, lead_seconds
      FROM deployed_changes
     WHERE lead_seconds IS NOT NULL
       AND ($1::text[] IS NULL OR service = ANY ($1))
       AND ($2::text[] IS NULL OR environment = ANY ($2))
       AND deployed_at >= ($3::timestamptz[])[1]
       AND deployed_at < $4::timestamptz
    -- Without a fence PostgreSQL expects as many groups as rows, and sorts them all.
    OFFSET 0) AS placed
 GROUP BY environment, part;

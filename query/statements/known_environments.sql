-- Every environment that there is a number for. Walks from service and environment to the next (see known_services).
-- $1 services (NULL: all), $2 most pairs that are looked at
WITH RECURSIVE pair AS (
    (SELECT service, environment FROM deployment_frequency ORDER BY service, environment LIMIT 1)
    UNION ALL
    SELECT following.service, following.environment
      FROM pair
     CROSS JOIN LATERAL (
        SELECT f.service, f.environment
          FROM deployment_frequency AS f
         WHERE (f.service, f.environment) > (pair.service, pair.environment)
         ORDER BY f.service, f.environment
         LIMIT 1) AS following
)
SELECT DISTINCT environment
  FROM (SELECT service, environment FROM pair LIMIT $2) AS found
 WHERE $1::text[] IS NULL OR service = ANY ($1)
 ORDER BY environment;

-- The environments of these services, and the last deployment to each that counts.
-- $1 services
WITH RECURSIVE pair AS (
    SELECT found.service, found.environment
      FROM unnest($1::text[]) AS wanted (service)
     CROSS JOIN LATERAL (
        SELECT d.service, d.environment
          FROM deployments AS d
         WHERE d.service = wanted.service
         ORDER BY d.environment
         LIMIT 1) AS found
    UNION ALL
    SELECT following.service, following.environment
      FROM pair
     CROSS JOIN LATERAL (
        SELECT d.service, d.environment
          FROM deployments AS d
         WHERE d.service = pair.service AND d.environment > pair.environment
         ORDER BY d.environment
         LIMIT 1) AS following
)
SELECT pair.service, pair.environment, latest.time_created AS last_deployment
  FROM pair
  LEFT JOIN LATERAL (
    SELECT d.time_created
      FROM deployments AS d
     WHERE d.service = pair.service AND d.environment = pair.environment AND d.counted
     ORDER BY d.time_created DESC
     LIMIT 1) AS latest ON true
 ORDER BY pair.service, pair.environment;

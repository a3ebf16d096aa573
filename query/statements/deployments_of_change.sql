-- The first deployment of each service and environment that contains a change. Walks from place to place through
-- link_days: its cost is the number of services and environments, not of deployments.
-- $1 repository, $2 change_id
WITH RECURSIVE place AS (
    (SELECT service, environment FROM link_days ORDER BY service, environment LIMIT 1)
    UNION ALL
    SELECT following.service, following.environment
      FROM place
     CROSS JOIN LATERAL (
        SELECT l.service, l.environment
          FROM link_days AS l
         WHERE (l.service, l.environment) > (place.service, place.environment)
         ORDER BY l.service, l.environment
         LIMIT 1) AS following
)
SELECT deployed.service, deployed.environment, deploy_id, deployed_at, rule, lead_seconds, merge_seconds
  FROM place
  JOIN deployed_changes AS deployed
    ON (deployed.service, deployed.environment, repository, change_id) = (place.service, place.environment, $1, $2)
 ORDER BY deployed_at, deployed.service, deployed.environment;

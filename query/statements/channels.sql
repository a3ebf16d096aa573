-- Services of which several channels reported counted deployments in the window, to one environment. Walks from channel
-- to channel through deployments_by_channel: its cost is the number of channels, not of deployments.
-- $1 services, $2 environments (NULL: all), $3 from, $4 to
WITH RECURSIVE step AS (
    (SELECT service, environment, channel
       FROM deployments
      WHERE counted
      ORDER BY service, environment, channel
      LIMIT 1)
    UNION ALL
    SELECT following.service, following.environment, following.channel
      FROM step
     CROSS JOIN LATERAL (
        SELECT d.service, d.environment, d.channel
          FROM deployments AS d
         WHERE d.counted
           AND (d.service, d.environment, d.channel) > (step.service, step.environment, step.channel)
         ORDER BY d.service, d.environment, d.channel
         LIMIT 1) AS following
)
SELECT service, array_agg(DISTINCT channel ORDER BY channel) AS channels
  FROM (
    SELECT service, environment, channel, count(*) OVER (PARTITION BY service, environment) AS reporting
      FROM step
     WHERE ($1::text[] IS NULL OR service = ANY ($1))
       AND ($2::text[] IS NULL OR environment = ANY ($2))
       AND EXISTS (SELECT
                     FROM deployments AS d
                    WHERE d.counted
                      AND d.service = step.service
                      AND d.environment = step.environment
                      AND d.channel = step.channel
                      AND d.time_created >= $3::timestamptz
                      AND d.time_created < $4::timestamptz)) AS used
 WHERE reporting > 1
 GROUP BY service
 ORDER BY service;

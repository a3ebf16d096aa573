-- Services of which several channels reported counted deployments in the window, to one environment. Walks from channel
-- to channel through deployments_by_channel, of these services alone: its cost is the number of their channels, and not
-- of deployments.
-- $1 services, $2 environments (NULL: all), $3 from, $4 to
WITH RECURSIVE step AS (
    (SELECT found.service, found.environment, found.channel
       FROM unnest($1::text[]) AS wanted (service)
      CROSS JOIN LATERAL (
        SELECT d.service, d.environment, d.channel
          FROM deployments AS d
         WHERE d.counted
           AND d.service = wanted.service
         ORDER BY d.environment, d.channel
         LIMIT 1) AS found)
    UNION ALL
    (SELECT service, environment, channel
       FROM deployments
      WHERE counted
        AND $1::text[] IS NULL
      ORDER BY service, environment, channel
      LIMIT 1)
    UNION ALL
    SELECT following.service, following.environment, following.channel
      FROM step
     CROSS JOIN LATERAL (
        (SELECT d.service, d.environment, d.channel
           FROM deployments AS d
          WHERE d.counted
            AND $1::text[] IS NOT NULL
            AND d.service = step.service
            AND (d.environment, d.channel) > (step.environment, step.channel)
          ORDER BY d.environment, d.channel
          LIMIT 1)
        UNION ALL
        (SELECT d.service, d.environment, d.channel
           FROM deployments AS d
          WHERE d.counted
            AND $1::text[] IS NULL
            AND (d.service, d.environment, d.channel) > (step.service, step.environment, step.channel)
          ORDER BY d.service, d.environment, d.channel
          LIMIT 1)) AS following
)
SELECT service, array_agg(DISTINCT channel ORDER BY channel) AS channels
  FROM (
    SELECT service, environment, channel, count(*) OVER (PARTITION BY service, environment) AS reporting
      FROM step
     CROSS JOIN LATERAL (
        SELECT
          FROM deployments AS d
         WHERE d.counted
           AND d.service = step.service
           AND d.environment = step.environment
           AND d.channel = step.channel
           AND d.time_created >= $3::timestamptz
           AND d.time_created < $4::timestamptz
         LIMIT 1) AS reported
     WHERE ($2::text[] IS NULL OR environment = ANY ($2))) AS used
 WHERE reporting > 1
 GROUP BY service
 ORDER BY service;

-- Services with a deployment, counted or not, by name. Walks from name to name (see known_services).
-- $1 services, $2 environments (NULL: all), $3 behind this service, $4 most services
WITH RECURSIVE known AS (
    (SELECT service
       FROM deployments
      WHERE ($3::text IS NULL OR service > $3)
      ORDER BY service
      LIMIT 1)
    UNION ALL
    SELECT (SELECT d.service
              FROM deployments AS d
             WHERE d.service > known.service
             ORDER BY d.service
             LIMIT 1)
      FROM known
     WHERE known.service IS NOT NULL
)
SELECT service
  FROM known
 WHERE service IS NOT NULL
   AND ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text[] IS NULL
        OR EXISTS (SELECT FROM deployments AS d WHERE d.service = known.service AND d.environment = ANY ($2)))
 LIMIT $4;

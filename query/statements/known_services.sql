-- Every service that there is a number for. Walks from name to name through the key: its cost is the number of
-- services, not of rows.
-- $1 most services
WITH RECURSIVE known AS (
    (SELECT service FROM deployment_frequency ORDER BY service LIMIT 1)
    UNION ALL
    SELECT (SELECT f.service
              FROM deployment_frequency AS f
             WHERE f.service > known.service
             ORDER BY f.service
             LIMIT 1)
      FROM known
     WHERE known.service IS NOT NULL
)
SELECT service FROM known WHERE service IS NOT NULL LIMIT $1;

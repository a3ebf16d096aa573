-- $1 service, $2 environment, $3 repositories
INSERT INTO homes (service, environment, repository)
SELECT $1, $2, repository
FROM unnest($3::text[]) AS wanted (repository)
WHERE repository NOT IN (SELECT repository FROM homes WHERE service = $1 AND environment = $2)

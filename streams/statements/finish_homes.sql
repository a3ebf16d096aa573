-- $1 service, $2 environment
UPDATE attributions SET kept_homes = true
WHERE service = $1 AND environment = $2 AND kept_homes IS NULL

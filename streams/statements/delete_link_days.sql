-- $1 service, $2 environment, $3 days
DELETE FROM link_days WHERE service = $1 AND environment = $2 AND day = ANY ($3::timestamptz[])

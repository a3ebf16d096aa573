-- $1 service, $2 environment
INSERT INTO relinks (service, environment) VALUES ($1, $2) ON CONFLICT DO NOTHING

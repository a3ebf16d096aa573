-- How many deployments there are, up to a number that says: many.
SELECT count(*) AS number FROM (SELECT FROM deployments LIMIT 10000) AS found;

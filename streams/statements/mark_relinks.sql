-- Services and environments whose links must be computed again, because of facts that were stored.
-- Each of these finds few rows however long the history is: a place that a repository matters to is one of its homes.
-- $1 services and $2 environments, $3 repositories, $4 commits, $5 artifact keys, $6 deploy_ids, $7 change_ids
INSERT INTO relinks AS known (service, environment)
SELECT service, environment FROM (
    SELECT * FROM unnest($1::text[], $2::text[]) AS told (service, environment)
    UNION
    SELECT service, environment FROM homes WHERE repository = ANY ($3::text[])
    UNION
    SELECT service, environment FROM deployments WHERE lower(commit) = ANY ($4::text[])
    UNION
    SELECT service, environment FROM deployments WHERE artifact_key(artifact) = ANY ($5::text[])
    UNION
    SELECT service, environment FROM deployments WHERE deploy_id = ANY ($6::text[])
    UNION
    SELECT deployed.service, deployed.environment
    FROM artifacts
    JOIN deployments AS deployed ON artifact_key(deployed.artifact) = artifacts.artifact
    WHERE artifacts.change_id = ANY ($7::text[])
    UNION
    SELECT deployed.service, deployed.environment
    FROM artifacts
    JOIN deployments AS deployed ON artifact_key(deployed.artifact) = artifacts.artifact
    WHERE artifacts.commit = ANY ($4::text[]) AND artifacts.repository IS NULL
) AS place
ORDER BY service COLLATE "C", environment COLLATE "C"
-- An update that changes nothing, and not DO NOTHING: it waits for a relinker that took the mark away, and
-- had looked at the facts before these were stored.
ON CONFLICT (service, environment) DO UPDATE SET service = known.service

INSERT INTO attributions (
    deploy_id, service, environment, deployed_at, role, repository, commit, linked, changes, failure_rule,
    failure_cause, recovered_at, recovery_seconds, rework_rule, day, lead_times, merge_times,
    kept_homes
)
SELECT *, true
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::boolean[],
    $9::integer[], $10::text[], $11::text[], $12::timestamptz[], $13::double precision[], $14::text[],
    $15::timestamptz[], $16::bytea[], $17::bytea[]
)
ON CONFLICT (deploy_id) DO UPDATE SET
    (service, environment, deployed_at, role, repository, commit, linked, changes, failure_rule, failure_cause,
     recovered_at, recovery_seconds, rework_rule, day, lead_times, merge_times, kept_homes)
    = (excluded.service, excluded.environment, excluded.deployed_at, excluded.role, excluded.repository,
       excluded.commit, excluded.linked, excluded.changes, excluded.failure_rule, excluded.failure_cause,
       excluded.recovered_at, excluded.recovery_seconds, excluded.rework_rule, excluded.day,
       excluded.lead_times, excluded.merge_times, excluded.kept_homes)

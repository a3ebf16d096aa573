-- The merge of streams/facts/deployments.py: the report of highest rank decides, the earliest time stays.
INSERT INTO deployments AS known (
    deploy_id, time_created, deploy_name, service, environment, repository, commit, artifact, channel, kind,
    outcome, counted, counted_reason, basis, evidence, decided_at, cd_source, cd_id, hotfix
)
SELECT *
FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::boolean[], $13::text[], $14::text[], $15::bigint[],
    $16::timestamptz[], $17::text[], $18::text[], $19::boolean[]
)
ON CONFLICT (deploy_id) DO UPDATE SET
    (deploy_name, service, environment, repository, commit, artifact, channel, kind,
     outcome, counted, counted_reason, basis, evidence, decided_at, cd_source, cd_id, hotfix)
    = (SELECT winner.deploy_name, winner.service, winner.environment, winner.repository, winner.commit,
              winner.artifact, winner.channel, winner.kind, winner.outcome, winner.counted,
              winner.counted_reason, winner.basis, winner.evidence, winner.decided_at, winner.cd_source,
              winner.cd_id, winner.hotfix
       FROM (SELECT excluded.* UNION ALL SELECT known.*) AS winner
       ORDER BY winner.evidence DESC, winner.decided_at, winner.cd_source COLLATE "C" DESC,
                winner.cd_id COLLATE "C" DESC
       LIMIT 1),
    time_created = LEAST(known.time_created, excluded.time_created)
WHERE (excluded.evidence, known.decided_at) > (known.evidence, excluded.decided_at)
   OR excluded.time_created < known.time_created
   OR (excluded.evidence, excluded.decided_at) = (known.evidence, known.decided_at)

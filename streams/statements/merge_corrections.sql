-- The merge of streams/facts/corrections.py: of several corrections of a deployment the latest.
INSERT INTO corrections AS known (deploy_id, decided_at, failed, unplanned, cause, cd_source, cd_id)
SELECT *
FROM unnest(
    $1::text[], $2::timestamptz[], $3::boolean[], $4::boolean[], $5::text[], $6::text[], $7::text[]
)
ON CONFLICT (deploy_id) DO UPDATE SET
    decided_at = excluded.decided_at, failed = excluded.failed, unplanned = excluded.unplanned,
    cause = excluded.cause, cd_source = excluded.cd_source, cd_id = excluded.cd_id
WHERE (excluded.decided_at, excluded.cd_source COLLATE "C", excluded.cd_id COLLATE "C")
    > (known.decided_at, known.cd_source, known.cd_id)

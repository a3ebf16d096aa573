-- The merge of streams/facts/changes.py: the earliest of each time, the greatest of each text, any mark.
INSERT INTO changes AS known (
    repository, change_id, kind, committed_at, pushed_at, opened_at, merged_at, service, commit, head, branch,
    reverts, hotfix, services
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[]
)
ON CONFLICT (repository, change_id) DO UPDATE SET
    kind = GREATEST(known.kind COLLATE "C", excluded.kind),
    committed_at = LEAST(known.committed_at, excluded.committed_at),
    pushed_at = LEAST(known.pushed_at, excluded.pushed_at),
    opened_at = LEAST(known.opened_at, excluded.opened_at),
    merged_at = LEAST(known.merged_at, excluded.merged_at),
    service = GREATEST(known.service COLLATE "C", excluded.service),
    commit = GREATEST(known.commit COLLATE "C", excluded.commit),
    head = GREATEST(known.head COLLATE "C", excluded.head),
    branch = GREATEST(known.branch COLLATE "C", excluded.branch),
    reverts = GREATEST(known.reverts COLLATE "C", excluded.reverts),
    hotfix = known.hotfix OR excluded.hotfix,
    services = GREATEST(known.services COLLATE "C", excluded.services)

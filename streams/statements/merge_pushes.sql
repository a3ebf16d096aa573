-- The merge of streams/facts/changes.py: of several pushes of a commit to a branch, the earliest.
INSERT INTO pushes AS known (repository, branch, commit, pushed_at, position, before, after, truncated)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[], $6::text[], $7::text[], $8::boolean[]
)
ON CONFLICT (repository, branch, commit) DO UPDATE SET
    pushed_at = excluded.pushed_at, position = excluded.position, before = excluded.before,
    after = excluded.after, truncated = excluded.truncated
WHERE (excluded.pushed_at, excluded.position, excluded.before COLLATE "C", excluded.after COLLATE "C",
       excluded.truncated)
    < (known.pushed_at, known.position, known.before, known.after, known.truncated)

INSERT INTO deadletters AS known (
    stage, reason, attempts, source, id, type, key, value, headers, origin_topic, origin_partition,
    origin_offset, arrived_at, identity, failed_at, last_failed_at, generation, rule
)
SELECT
    stage, reason, attempts, source, id, type, key, value, headers::jsonb, origin_topic, origin_partition,
    origin_offset, arrived_at, identity, failed_at, failed_at, generation, rule
FROM unnest(
    $1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[],
    $9::text[], $10::text[], $11::integer[], $12::bigint[], $13::timestamptz[], $14::bytea[],
    $15::timestamptz[], $16::integer[], $17::text[]
) AS row (
    stage, reason, attempts, source, id, type, key, value, headers, origin_topic, origin_partition,
    origin_offset, arrived_at, identity, failed_at, generation, rule
)
-- Told again by a repeated batch, it is what it was. A failed redrive, or another generation that cannot
-- handle it either, is news.
ON CONFLICT (identity) DO UPDATE
SET state = 'open', settled_at = NULL, stage = excluded.stage, reason = excluded.reason,
    attempts = greatest(known.attempts, excluded.attempts), last_failed_at = excluded.failed_at,
    generation = excluded.generation
WHERE known.state <> 'dropped'
  AND (excluded.attempts > known.attempts OR excluded.generation > known.generation)

INSERT INTO deadletters (
    stage, reason, attempts, source, id, type, key, value, headers,
    origin_topic, origin_partition, origin_offset, failed_at, identity
)
SELECT
    stage, reason, attempts, source, id, type, key, value, headers::jsonb,
    origin_topic, origin_partition, origin_offset, failed_at, identity
FROM unnest(
    $1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[],
    $9::text[], $10::text[], $11::integer[], $12::bigint[], $13::timestamptz[], $14::bytea[]
) AS row (
    stage, reason, attempts, source, id, type, key, value, headers,
    origin_topic, origin_partition, origin_offset, failed_at, identity
)
ON CONFLICT (identity) DO NOTHING

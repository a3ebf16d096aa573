INSERT INTO cloudevents_raw (
    content, event_timestamp, source, id, type, subject, attributes, body, digest, received_at,
    traceparent, fate, reason, rule, outputs, topic, topic_partition, topic_offset
)
SELECT
    content::json, event_timestamp, source, id, type, subject, attributes::jsonb, body, digest, received_at,
    traceparent, fate, reason, rule, outputs::jsonb, topic, topic_partition, topic_offset
FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[],
    $9::bytea[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::integer[], $18::bigint[]
) AS row (
    content, event_timestamp, source, id, type, subject, attributes, body, digest, received_at,
    traceparent, fate, reason, rule, outputs, topic, topic_partition, topic_offset
)
ON CONFLICT (source, id) DO NOTHING

INSERT INTO cdevents_raw (
    cd_source, cd_id, cd_timestamp, cd_type, cd_subject_id, cd_subject_source, content,
    cause_source, cause_id, traceparent, rule
)
SELECT
    cd_source, cd_id, cd_timestamp, cd_type, cd_subject_id, cd_subject_source, content::json,
    cause_source, cause_id, traceparent, rule
FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[]
) AS row (
    cd_source, cd_id, cd_timestamp, cd_type, cd_subject_id, cd_subject_source, content,
    cause_source, cause_id, traceparent, rule
)
ON CONFLICT (cd_source, cd_id) DO NOTHING

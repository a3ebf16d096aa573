-- The CDEvents of these types and times about a subject.
-- $1 types, $2 times, $3 the subject's id, $4 most rows
SELECT cd_source, cd_id, cd_type, cd_timestamp, cause_source, cause_id, content
  FROM cdevents_raw
 WHERE cd_type = ANY ($1::text[]) AND cd_timestamp = ANY ($2::timestamptz[]) AND cd_subject_id = $3
 ORDER BY cd_timestamp, cd_source, cd_id
 LIMIT $4;

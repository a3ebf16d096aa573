-- The CDEvents that a CloudEvent became.
-- $1 source, $2 id, $3 most rows
SELECT cd_source, cd_id, cd_timestamp, cd_type, cd_subject_id, cd_subject_source, content, cause_source, cause_id,
       recorded_at, traceparent
  FROM cdevents_raw
 WHERE cause_source = $1 AND cause_id = $2
 ORDER BY cd_timestamp, cd_source, cd_id
 LIMIT $3;

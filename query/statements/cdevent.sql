-- One CDEvent whole.
-- $1 source, $2 id
SELECT cd_source, cd_id, cd_timestamp, cd_type, cd_subject_id, cd_subject_source, content, cause_source, cause_id,
       recorded_at, traceparent
  FROM cdevents_raw
 WHERE cd_source = $1 AND cd_id = $2;

-- What people said of a deployment, the last word first.
-- $1 the type of such a CDEvent, $2 deploy_id, $3 most rows
SELECT cd_source, cd_id, cd_timestamp, content, cause_source, cause_id
  FROM cdevents_raw
 WHERE cd_type = $1 AND cd_subject_id = $2
 ORDER BY cd_timestamp DESC, cd_source DESC, cd_id DESC
 LIMIT $3;

-- Changes, the latest first.
-- $1 services, $2 repository, $3 kind, $4 from, $5 to (NULL: all), $6 to $8 behind this time, repository and change_id,
-- $9 most rows, $10 one service (NULL: all), since an array of one would not find the order of an index
SELECT repository, change_id, kind, time_created, committed_at, pushed_at, opened_at, merged_at, service, commit, head,
       branch, reverts, hotfix, NULL::text AS environment, NULL::text AS deploy_id, NULL::timestamptz AS deployed_at,
       NULL::text AS rule, NULL::double precision AS lead_seconds, NULL::double precision AS merge_seconds
  FROM changes
 WHERE ($1::text[] IS NULL OR service = ANY ($1))
   AND ($2::text IS NULL OR repository = $2)
   AND ($3::text IS NULL OR kind = $3)
   AND ($4::timestamptz IS NULL OR time_created >= $4)
   AND ($5::timestamptz IS NULL OR time_created < $5)
   AND ($10::text IS NULL OR service = $10)
   AND ($6::timestamptz IS NULL OR (time_created, repository, change_id) < ($6, $7::text, $8::text))
 ORDER BY time_created DESC, repository DESC, change_id DESC
 LIMIT $9;

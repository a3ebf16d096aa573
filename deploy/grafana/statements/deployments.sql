SELECT d.time_created AS "time", d.service, d.environment, d.kind, d.outcome, d.counted, d.counted_reason AS "why",
       d.commit, d.artifact, a.failure_rule AS "failed by", a.changes AS "new commits"
FROM deployments d LEFT JOIN attributions a USING (deploy_id)
WHERE d.service IN (${service:sqlstring}) AND d.environment IN (${environment:sqlstring})
  AND $__timeFilter(d.time_created)
ORDER BY d.time_created DESC LIMIT 500

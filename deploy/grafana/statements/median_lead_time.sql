SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_seconds) AS "median"
FROM deployed_changes WHERE lead_seconds IS NOT NULL
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(deployed_at)

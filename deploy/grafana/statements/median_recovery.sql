SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY recovery_seconds) AS "median"
FROM attributions
WHERE role = 'counted' AND failure_rule IS NOT NULL AND recovery_seconds IS NOT NULL
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(deployed_at)

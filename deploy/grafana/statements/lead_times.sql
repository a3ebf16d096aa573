SELECT deployed_at AS time, service AS metric, lead_seconds AS value
FROM deployed_changes WHERE lead_seconds IS NOT NULL
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(deployed_at)
ORDER BY 1

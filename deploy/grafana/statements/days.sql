SELECT bucket_start AS time, service AS metric, sum(deployments) AS value
FROM deployment_frequency WHERE bucket = 'day'
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(bucket_start)
GROUP BY 1, 2 ORDER BY 1, 2

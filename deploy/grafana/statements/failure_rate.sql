SELECT count(*) FILTER (WHERE failure_rule IS NOT NULL)::float / nullif(count(*), 0) AS "rate"
FROM attributions WHERE role = 'counted'
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(deployed_at)

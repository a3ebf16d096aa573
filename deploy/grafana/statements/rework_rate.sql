SELECT count(*) FILTER (WHERE role = 'rollback' OR rework_rule IS NOT NULL)::float / nullif(count(*), 0) AS "rate"
FROM attributions WHERE service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(deployed_at)

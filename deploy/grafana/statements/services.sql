SELECT service, environment, count(*) AS deployments, count(DISTINCT commit) AS commits,
       max(time_created) AS "last deployment"
FROM deployments WHERE counted
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(time_created)
GROUP BY 1, 2 ORDER BY deployments DESC, 1, 2

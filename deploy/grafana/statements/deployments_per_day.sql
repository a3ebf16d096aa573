SELECT count(*) / greatest(1, extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 86400)
       AS "deployments a day"
FROM deployments WHERE counted
  AND service IN (${service:sqlstring}) AND environment IN (${environment:sqlstring})
  AND $__timeFilter(time_created)

SELECT detected_at AS "detected", resolved_at AS "resolved", service, environment, ticket
FROM incidents WHERE service IN (${service:sqlstring})
  AND $__timeFilter(time_created)
ORDER BY time_created DESC LIMIT 200

SELECT type, reason, count(*) AS events, max(received_at) AS "last"
FROM cloudevents_raw WHERE fate = 'unmapped'
  AND $__timeFilter(received_at)
GROUP BY 1, 2 ORDER BY events DESC LIMIT 100

SELECT stage, reason, count(*) AS records, max(last_failed_at) AS "last"
FROM deadletters WHERE state = 'open' GROUP BY 1, 2 ORDER BY records DESC LIMIT 100

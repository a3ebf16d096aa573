-- What became of the latest events, by type; how many of them came lately, and how old they were when they came.
-- $1 how many are looked at, $2 what is lately
SELECT type,
       count(*) AS events,
       count(*) FILTER (WHERE fate = 'mapped') AS mapped,
       count(*) FILTER (WHERE fate = 'ignored') AS ignored,
       count(*) FILTER (WHERE fate = 'unmapped') AS unmapped,
       count(*) FILTER (WHERE fate = 'dead') AS dead,
       count(*) FILTER (WHERE received_at >= $2) AS lately,
       min(received_at) AS since,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - event_timestamp)) AS age
  FROM (SELECT type, fate, received_at, event_timestamp
          FROM cloudevents_raw
         ORDER BY event_id DESC
         LIMIT $1) AS latest
 GROUP BY type;

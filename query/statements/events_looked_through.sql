-- Where a look through the latest CloudEvents ends, and how many it saw.
-- $1 fate, $2 type (NULL: all), $3 before this one, $4 most rows
SELECT min(event_id) AS last, count(*) AS seen
  FROM (SELECT event_id
          FROM cloudevents_raw
         WHERE ($1::text IS NULL OR fate = $1)
           AND ($2::text IS NULL OR type = $2)
           AND ($3::bigint IS NULL OR event_id < $3)
         ORDER BY event_id DESC
         LIMIT $4) AS latest;

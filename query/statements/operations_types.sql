-- Each type of event and its last one. Walks from type to type through the index: its cost is the number of types.
-- $1 most types
WITH RECURSIVE types AS (
    (SELECT type FROM cloudevents_raw ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT event.type
              FROM cloudevents_raw AS event
             WHERE event.type > types.type
             ORDER BY event.type
             LIMIT 1)
      FROM types
     WHERE types.type IS NOT NULL
)
SELECT types.type, latest.received_at
  FROM (SELECT type FROM types WHERE type IS NOT NULL LIMIT $1) AS types
 CROSS JOIN LATERAL (SELECT event.received_at
                       FROM cloudevents_raw AS event
                      WHERE event.type = types.type
                      ORDER BY event.event_id DESC
                      LIMIT 1) AS latest;

-- CloudEvents of which all that they became belongs to some of these services, the latest first; without their data.
-- A CDEvent belongs to the service that it names, else to that of the deployment that it decided.
-- $1 fate, $2 type (NULL: all), $3 before this one, $4 down to this one, $5 services, $6 most rows
SELECT event_id, source, id, type, subject, event_timestamp, received_at, fate, reason, rule
  FROM cloudevents_raw AS event
 WHERE ($1::text IS NULL OR fate = $1)
   AND ($2::text IS NULL OR type = $2)
   AND ($3::bigint IS NULL OR event_id < $3)
   AND event_id >= $4
   AND (SELECT bool_and(coalesce(
                   coalesce(made.content #>> '{customData,dora,service}',
                            (SELECT d.service
                               FROM deployments AS d
                              WHERE d.cd_source = made.cd_source AND d.cd_id = made.cd_id
                              LIMIT 1)) = ANY ($5::text[]), false))
          FROM cdevents_raw AS made
         WHERE made.cause_source = event.source AND made.cause_id = event.id)
 ORDER BY event_id DESC
 LIMIT $6;

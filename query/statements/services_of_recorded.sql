-- Of CloudEvents the services that their CDEvents belong to, as services_of_cause.sql has them, and how many of
-- their CDEvents are not recorded yet.
-- $1 the rows' event_id
SELECT event.event_id,
       ARRAY(SELECT DISTINCT coalesce(made.content #>> '{customData,dora,service}',
                                      (SELECT d.service
                                         FROM deployments AS d
                                        WHERE d.cd_source = made.cd_source AND d.cd_id = made.cd_id
                                        LIMIT 1))
               FROM cdevents_raw AS made
              WHERE made.cause_source = event.source AND made.cause_id = event.id) AS services,
       (SELECT count(*)
          FROM jsonb_to_recordset(event.outputs) AS output (source text, id text)
         WHERE NOT EXISTS (SELECT
                             FROM cdevents_raw AS made
                            WHERE made.cd_source = output.source AND made.cd_id = output.id)) AS missing
  FROM cloudevents_raw AS event
 WHERE event.event_id = ANY ($1::bigint[]);

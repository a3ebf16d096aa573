-- The services that the CDEvents of a CloudEvent belong to: those that they name, else those of the deployments
-- that they decided; NULL for one that belongs to none.
-- $1 source, $2 id
SELECT DISTINCT coalesce(made.content #>> '{customData,dora,service}',
                         (SELECT d.service
                            FROM deployments AS d
                           WHERE d.cd_source = made.cd_source AND d.cd_id = made.cd_id
                           LIMIT 1)) AS service
  FROM cdevents_raw AS made
 WHERE made.cause_source = $1 AND made.cause_id = $2;

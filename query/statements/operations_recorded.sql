-- How long it took from the arrival of the latest mapped events until their CDEvents were recorded, in seconds.
-- $1 how many events are looked at
SELECT count(*) AS cdevents,
       max(made.recorded_at) AS newest,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM made.recorded_at - latest.received_at)) AS median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM made.recorded_at - latest.received_at)) AS most
  FROM (SELECT source, id, received_at
          FROM cloudevents_raw
         WHERE fate = 'mapped'
         ORDER BY event_id DESC
         LIMIT $1) AS latest
  JOIN cdevents_raw AS made ON made.cause_source = latest.source AND made.cause_id = latest.id;

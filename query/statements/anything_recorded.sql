-- Whether anything has arrived at all, and whether a deployment is among it.
SELECT EXISTS (SELECT FROM cloudevents_raw) AS events,
       EXISTS (SELECT FROM deployments) AS deployments;

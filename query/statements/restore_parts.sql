-- Durations of incidents, by bucket and environment, and how many are open. One that was opened again after its end
-- is open; an end before the very first report is a clock that is wrong (streams/links/failures.py, end_of).
-- $1 services, $2 environments (NULL: all), $3 where the buckets begin, $4 where the last one ends
SELECT environment, part,
       array_agg(seconds) FILTER (WHERE seconds IS NOT NULL) AS seconds,
       count(*) FILTER (WHERE seconds IS NULL)               AS unfinished
  FROM (
    SELECT coalesce(environment, '')                        AS environment,
           width_bucket(detected_at, $3::timestamptz[]) - 1 AS part,
           CASE WHEN resolved_at >= detected_at AND opened_at > resolved_at THEN NULL
                ELSE extract(epoch FROM resolved_at - detected_at)::double precision
           END                                              AS seconds
      FROM incidents
     WHERE detected_at IS NOT NULL
       AND ($1::text[] IS NULL OR service = ANY ($1))
       AND ($2::text[] IS NULL OR environment = ANY ($2))
       AND detected_at >= ($3::timestamptz[])[1]
       AND detected_at < $4::timestamptz
       AND time_created >= ($3::timestamptz[])[1]
       AND time_created < $4::timestamptz) AS placed
 GROUP BY 1, 2;

-- Links that lack what this version writes with them: an older one wrote them, or took the marks of a migration away
-- during a rolling upgrade. Three indexes hold just these, so that it costs nothing when there are none.
INSERT INTO relinks (service, environment)
SELECT service, environment FROM (
    SELECT service, environment FROM attributions WHERE day IS NULL
    UNION
    SELECT service, environment FROM attributions WHERE lead_times IS NULL
    UNION
    SELECT service, environment FROM attributions WHERE kept_homes IS NULL
) AS place
ORDER BY service COLLATE "C", environment COLLATE "C"
ON CONFLICT DO NOTHING

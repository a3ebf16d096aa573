-- One service and environment whose links must be computed; other relinkers pass it by until this one is done.
-- Any of them, so that one whose links cannot be computed, or that is marked all the time, holds up no other.
DELETE FROM relinks
WHERE (service, environment)
    = (SELECT service, environment FROM relinks ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING service, environment

"""Removes what old events said and keeps that they were there.

An event keeps its row in `cloudevents_raw`, its source, id, digest and fate: the same event that comes again
is still known, and one with other data is still a conflict. Its CDEvents and every row that follows from them
stay too, so no metric changes, and a recompute copies the outcome of such an event (`deploy.replay`).
"""

from dataclasses import dataclass
from datetime import datetime

from deploy.migrations import connect

CHUNK = (
    2000  # rows in one transaction: a worker that stores the same event again waits for no longer than that
)

# An event whose dead letter is open is still to be handled.
EMPTY_EVENTS = """
WITH old AS (
    SELECT event.event_id FROM cloudevents_raw AS event
     WHERE event.event_id > $1 AND event.received_at < $2 AND event.content IS NOT NULL
       AND NOT (event.fate = 'dead' AND EXISTS (
           SELECT FROM deadletters AS letter
            WHERE letter.id = event.id AND letter.source = event.source AND letter.state = 'open'))
     ORDER BY event.event_id LIMIT $3
     FOR UPDATE OF event
)
UPDATE cloudevents_raw AS event SET content = NULL, body = NULL
  FROM old WHERE event.event_id = old.event_id
RETURNING event.event_id
"""
EMPTY_DEADLETTERS = """
WITH old AS (
    SELECT deadletter_id FROM deadletters
     WHERE deadletter_id > $1 AND state <> 'open' AND settled_at < $2
       AND (value IS NOT NULL OR key IS NOT NULL OR headers <> '[]')
     ORDER BY deadletter_id LIMIT $3
     FOR UPDATE
)
UPDATE deadletters AS letter SET key = NULL, value = NULL, headers = '[]'
  FROM old WHERE letter.deadletter_id = old.deadletter_id
RETURNING letter.deadletter_id
"""
COUNT_EVENTS = """
SELECT count(*) FROM cloudevents_raw AS event
 WHERE event.received_at < $1 AND event.content IS NOT NULL
   AND NOT (event.fate = 'dead' AND EXISTS (
       SELECT FROM deadletters AS letter
        WHERE letter.id = event.id AND letter.source = event.source AND letter.state = 'open'))
"""
COUNT_DEADLETTERS = """
SELECT count(*) FROM deadletters
 WHERE state <> 'open' AND settled_at < $1 AND (value IS NOT NULL OR key IS NOT NULL OR headers <> '[]')
"""


@dataclass(frozen=True, slots=True)
class Retained:
    """How many events and settled dead letters lost what they said."""

    events: int
    deadletters: int


async def retain(postgres: str, before: datetime) -> Retained:
    """Empty what arrived, or was settled, before an instant. Killed and done again, it goes on."""
    events = await _empty(postgres, EMPTY_EVENTS, before)
    return Retained(events, await _empty(postgres, EMPTY_DEADLETTERS, before))


async def old(postgres: str, before: datetime) -> Retained:
    """What ``retain`` would do."""
    connection = await connect(postgres)
    try:
        return Retained(
            await connection.fetchval(COUNT_EVENTS, before),
            await connection.fetchval(COUNT_DEADLETTERS, before),
        )
    finally:
        await connection.close()


async def _empty(postgres: str, statement: str, before: datetime) -> int:
    connection = await connect(postgres)
    done, last = 0, 0
    try:
        while rows := await connection.fetch(statement, last, before, CHUNK):
            last = max(row[0] for row in rows)
            done += len(rows)
    finally:
        await connection.close()
    return done

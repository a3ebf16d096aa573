"""Removes the names of persons from what was recorded, and keeps that it was.

An event that names one of them is emptied as `deploy.retention` empties old ones: its bytes cannot both be
kept and not name them. It keeps its source, id, digest and fate, so that the same event that comes again is
known and does not bring back what it said, and a recompute copies its outcome. A CDEvent is what a recompute
copies, so it stays, and only the names in it go; a text by which a service, a repository or another fact is
known stays, for it is no name. Facts themselves hold none.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any

import asyncpg

from deploy.actors import Actors
from deploy.migrations import connect
from deploy.nameless import Row, cdevent_without, event_without, names_somebody, reason_without

CHUNK = 500  # rows looked at, and changed in one transaction
DROPPED = "erased: it named a person"

EVENTS = """
SELECT event_id, attributes, subject, reason,
       CASE WHEN lower(content::text) LIKE ANY ($2) THEN content::text END AS content
  FROM cloudevents_raw WHERE event_id > $1 ORDER BY event_id LIMIT $3
"""
EMPTY_EVENTS = """
UPDATE cloudevents_raw AS event
   SET content = NULL, body = NULL, attributes = told.attributes::jsonb, subject = told.subject,
       -- Meanwhile a worker may have handled what was dead, for another reason.
       reason = CASE WHEN event.reason = told.was THEN told.reason ELSE event.reason END
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS told (event_id, attributes, subject, was, reason)
 WHERE event.event_id = told.event_id
"""
CDEVENTS = """
SELECT cd_source, cd_id, cause_source, cause_id, rule,
       CASE WHEN lower(content::text) LIKE ANY ($3) THEN content::text END AS content
  FROM cdevents_raw WHERE (cd_source, cd_id) > ($1, $2) ORDER BY cd_source, cd_id LIMIT $4
"""
CHANGE_CDEVENTS = """
UPDATE cdevents_raw AS made SET content = told.content::json
  FROM unnest($1::text[], $2::text[], $3::text[]) AS told (source, id, content)
 WHERE made.cd_source = told.source AND made.cd_id = told.id
"""
# A recompute would make the CDEvent of its event again, as it was.
EMPTY_CAUSES = """
UPDATE cloudevents_raw AS event SET content = NULL, body = NULL
  FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[])) AS cause (source, id)
 WHERE event.source = cause.source AND event.id = cause.id AND event.content IS NOT NULL
RETURNING event.event_id
"""
DEADLETTERS = """
SELECT deadletter_id, state, key, value, headers, reason, because
  FROM deadletters WHERE deadletter_id > $1 ORDER BY deadletter_id LIMIT $2
"""
EMPTY_DEADLETTERS = """
UPDATE deadletters AS letter
   SET key = NULL, value = NULL, headers = '[]', reason = told.reason,
       because = CASE WHEN letter.state = 'open' THEN $4 ELSE told.because END,
       settled_at = coalesce(letter.settled_at, now()),
       state = CASE WHEN letter.state = 'open' THEN 'dropped' ELSE letter.state END
  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS told (deadletter_id, reason, because)
 WHERE letter.deadletter_id = told.deadletter_id
"""

Report = Callable[[str, int, int], None]  # (table, rows looked at, rows)


class ErasureError(Exception):
    """Nothing was erased, or not everything; the message says what to do."""


@dataclass(slots=True)
class Erased:
    """How many rows named somebody. Of the dead letters so many were still to be handled."""

    events: int = 0
    cdevents: int = 0
    deadletters: int = 0
    open_deadletters: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nobody was named."""
        return not any(getattr(self, each.name) for each in fields(self))


async def erase(postgres: str, actors: Actors, report: Report, *, dry_run: bool = False) -> Erased:
    """Remove the names from all rows, or only count. Killed and done again, it goes on.

    Raises ``ErasureError``, and what ``connect`` raises.
    """
    erased = Erased()
    async with working(postgres) as connection:
        for step in (erase_events, erase_cdevents, erase_deadletters):
            await step(Work(connection, actors, report, dry_run), erased)
    return erased


@dataclass(frozen=True, slots=True)
class Work:
    """What each step works with."""

    connection: Any
    actors: Actors
    report: Report
    dry_run: bool

    async def chunks(self, table: str, query: str, key: tuple[str, ...], *first: Any) -> AsyncIterator[Any]:
        """The rows of ``query``, a few at a time, in the order of ``key``; ``first`` is less than any."""
        total = await self.connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
        last, done = first, 0
        more = () if table == "deadletters" else (self.actors.patterns,)
        while rows := await self.connection.fetch(query, *last, *more, CHUNK):
            yield rows
            last, done = tuple(rows[-1][name] for name in key), done + len(rows)
            self.report(table, done, max(done, total))


@asynccontextmanager
async def working(postgres: str) -> AsyncIterator[Any]:
    """A connection, while no recompute is running: that would copy what it has read already."""
    connection = await connect(postgres)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('dora.recompute'))"):
            raise ErasureError("a recompute, or another erasure, is running; wait for it to end")
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        raise ErasureError("only the owner of the tables may erase; give its URL in DORA_POSTGRES") from error
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise ErasureError("the tables are not of this version; run: dora migrate") from error
    finally:
        await connection.close()


async def erase_events(work: Work, erased: Erased) -> None:
    """Empty the events that name somebody."""
    async for rows in work.chunks("cloudevents_raw", EVENTS, ("event_id",), 0):
        found = [emptied for row in rows if (emptied := event_without(row, work.actors)) is not None]
        erased.events += len(found)
        if found and not work.dry_run:
            await work.connection.execute(EMPTY_EVENTS, *map(list, zip(*found, strict=True)))


async def erase_cdevents(work: Work, erased: Erased) -> None:
    """Take the names out of CDEvents, and empty the events that they were made from."""
    async for rows in work.chunks("cdevents_raw", CDEVENTS, ("cd_source", "cd_id"), "", ""):
        found = [
            (row, document)
            for row in rows
            if row["content"] is not None and (document := cdevent_without(row, work.actors)) is not None
        ]
        erased.cdevents += len(found)
        if found and not work.dry_run:
            erased.events += await change_cdevents(work.connection, found)


async def change_cdevents(connection: Any, found: Sequence[tuple[Row, str]]) -> int:
    """Write CDEvents without names; how many events were emptied because of them."""
    async with connection.transaction():
        causes = await connection.fetch(
            EMPTY_CAUSES, [row["cause_source"] for row, _ in found], [row["cause_id"] for row, _ in found]
        )
        await connection.execute(
            CHANGE_CDEVENTS,
            [row["cd_source"] for row, _ in found],
            [row["cd_id"] for row, _ in found],
            [document for _, document in found],
        )
    return len(causes)


async def erase_deadletters(work: Work, erased: Erased) -> None:
    """Empty the dead letters that name somebody; one that is open could not be redriven, and is dropped."""
    async for rows in work.chunks("deadletters", DEADLETTERS, ("deadletter_id",), 0):
        found = [row for row in rows if names_somebody(row, work.actors)]
        erased.deadletters += len(found)
        erased.open_deadletters += sum(row["state"] == "open" for row in found)
        if found and not work.dry_run:
            await work.connection.execute(
                EMPTY_DEADLETTERS,
                [row["deadletter_id"] for row in found],
                [reason_without(row["reason"], work.actors) for row in found],
                [reason_without(row["because"], work.actors) for row in found],
                DROPPED,
            )

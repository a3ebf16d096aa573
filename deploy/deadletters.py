"""Looks dead letters up in PostgreSQL, and orders through the ingress what shall become of them.

What is ordered is a CloudEvent (docs/operating.md, "Dead letters"): workers alone write the tables, and the
log says what was asked for. An order names a dead letter by its identity, and a redrive names the attempts
besides, so that the same order is the same event.
"""

import asyncio
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from deploy.messages import STRUCTURED, Message, Unreadable
from deploy.sending import Answer, advice, send, token_of
from schemas.corrections import deadletter_order
from schemas.deadletters import hopeless
from schemas.instant import format_instant, parse_instant

PATIENCE = 60.0  # seconds during which an ingress may be unable to take an order
POLL = 0.3  # seconds between looks at what became of an order
_AGE = re.compile(r"([0-9]{1,6})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

COLUMNS = (
    "deadletter_id, state, stage, reason, attempts, source, id, type, origin_topic, origin_partition,"
    " origin_offset, arrived_at, failed_at, last_failed_at, settled_at, because, identity"
)
LIST = f"""
SELECT {COLUMNS} FROM deadletters
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR stage = $2)
  AND ($3::text IS NULL OR strpos(lower(reason), lower($3)) > 0)
  AND ($4::timestamptz IS NULL OR last_failed_at >= $4)
  AND ($5::bigint[] IS NULL OR deadletter_id = ANY ($5))
ORDER BY deadletter_id DESC LIMIT $6
"""  # noqa: S608 - the columns above and nothing else
SHOW = f"SELECT {COLUMNS}, key, value, headers FROM deadletters WHERE deadletter_id = $1"  # noqa: S608

Row = Mapping[str, Any]


class DeadLetterError(Exception):
    """What was asked for cannot be done; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters; ``None`` is: of any. ``reason`` is a part of it, ``since`` of the last failure."""

    state: str | None = "open"
    stage: str | None = None
    reason: str | None = None
    since: datetime | None = None
    ids: Sequence[int] | None = None
    limit: int | None = None


async def find(postgres: str, wanted: Wanted) -> list[Row]:
    """The dead letters, the latest first, without their bytes."""
    ids = None if wanted.ids is None else list(wanted.ids)
    return await fetch(
        postgres, LIST, wanted.state, wanted.stage, wanted.reason, wanted.since, ids, wanted.limit
    )


async def show(postgres: str, number: int) -> Row:
    """One dead letter with its bytes."""
    rows = await fetch(postgres, SHOW, number)
    if not rows:
        raise DeadLetterError(f"there is no dead letter {number}; `dora deadletters list` has their numbers")
    return rows[0]


async def fetch(postgres: str, query: str, *values: Any) -> list[Row]:
    """The rows of one query. Raises ``DeadLetterError`` when PostgreSQL does not answer."""
    try:
        connection = await asyncpg.connect(postgres, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DeadLetterError(
            f"PostgreSQL does not answer ({type(error).__name__}): is it running, and is DORA_POSTGRES right?"
        ) from error
    try:
        return [dict(row) for row in await connection.fetch(query, *values)]
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise DeadLetterError("the tables are not of this version; run: dora migrate") from error
    finally:
        await connection.close()


async def named(postgres: str, ids: Sequence[int]) -> list[Row]:
    """The dead letters with these numbers, in that order. Raises ``DeadLetterError`` for a number of none."""
    found = {row["deadletter_id"]: row for row in await find(postgres, Wanted(state=None, ids=ids))}
    if missing := [str(number) for number in ids if number not in found]:
        raise DeadLetterError(f"there is no dead letter {', '.join(missing)}; see `dora deadletters list`")
    return [found[number] for number in dict.fromkeys(ids)]


def why_not(row: Row) -> str | None:
    """Why a dead letter cannot be redriven."""
    return hopeless(row["stage"], row["reason"])


def redrive_order(row: Row) -> Message:
    """The order to redrive a dead letter that has failed as often as ``row`` says."""
    return order("redrive", row["identity"], {"attempts": row["attempts"]})


def drop_order(row: Row, because: str) -> Message:
    """The order to leave a dead letter as it is."""
    return order("drop", row["identity"], {"because": because})


def order(kind: str, identity: bytes, said: dict[str, Any]) -> Message:
    """The request that gives an order; equal orders are one event."""
    event = deadletter_order(kind, identity, said, format_instant(datetime.now(UTC)))
    return Message(kind, "/", STRUCTURED, orjson.dumps(event))


async def give(orders: Iterable[Message], ingress_url: str) -> None:
    """Send the orders. Raises ``DeadLetterError`` naming the first that the ingress refuses."""
    refused: list[Answer] = []
    messages: list[Message | Unreadable] = list(orders)

    def tell(answer: Answer) -> None:
        if not answer.accepted:
            refused.append(answer)

    token = token_of(os.environ)
    await send(messages, ingress_url, tell, connections=4, patience=PATIENCE, token=token)
    if refused:
        first = f"{refused[0].status} {refused[0].reason}{advice(refused[0])}"
        raise DeadLetterError(f"the ingress refused {len(refused)} of {len(messages)} orders: {first}")


async def outcomes(postgres: str, rows: Sequence[Row], seconds: float) -> list[Row]:
    """What became of ``rows`` within so many seconds: those that changed, as they are now."""
    before = {row["deadletter_id"]: (row["state"], row["attempts"]) for row in rows}
    deadline = time.monotonic() + seconds
    while True:
        now = await find(postgres, Wanted(state=None, ids=list(before)))
        changed = [row for row in now if (row["state"], row["attempts"]) != before[row["deadletter_id"]]]
        if len(changed) == len(before) or time.monotonic() > deadline:
            return changed
        await asyncio.sleep(POLL)


def instant_of(since: str, now: datetime) -> datetime:
    """``since`` as an instant: ``30m``, ``12h`` and ``7d`` ago, or RFC 3339. Raises ``ValueError``."""
    if age := _AGE.fullmatch(since):
        return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        return parse_instant(since)
    except ValueError:
        raise ValueError(f"{since!r} is no time: write 30m, 12h, 7d, or as 2026-03-05T10:00:00Z") from None

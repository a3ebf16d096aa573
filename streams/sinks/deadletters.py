"""``deadletters``: the dead-letter topic as a table that people can look at, redrive from, and clear."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.deadletters import DeadLetter, Kept, about_of, header_rows
from streams.orders import Drop, Redo
from streams.records import Arrival, Redrive
from streams.sinks.columns import columns
from streams.sinks.database import Database, statement

# Digits that fit into a column of 32 and of 64 bits. Nobody of ours has written more.
_INTEGER = re.compile("[0-9]{1,9}")
_LONG = re.compile("[0-9]{1,18}")
_IDENTITY = re.compile("[0-9a-f]{64}")
# Places of a row's columns: what tells rows apart, and which of two tellings is the later.
IDENTITY, ATTEMPTS = 13, 2


async def store(database: Database, arrivals: Sequence[Arrival], generation: int) -> None:
    """Store each dead letter once; a redrive that failed opens it again, with its attempts."""
    rows: dict[object, tuple[object, ...]] = {}
    for arrival in arrivals:
        row = _row(arrival, generation)
        known = rows.setdefault(row[IDENTITY], row)
        rows[row[IDENTITY]] = max(known, row, key=lambda each: int(str(each[ATTEMPTS])))
    if rows:
        ordered = [rows[identity] for identity in sorted(rows, key=str)]
        async with database.transaction() as connection:
            await connection.execute(statement("store_deadletters"), *columns(ordered))


async def find_open(database: Database, asked: Sequence[Redo]) -> list[Kept]:
    """The dead letters that are to be redriven; without those that failed again since they were looked at."""
    if not asked:
        return []
    identities, attempts = [order.identity for order in asked], [order.attempts for order in asked]
    rows = await database.fetch(statement("open_deadletters"), identities, attempts, database.generation)
    return [Kept(*row) for row in rows]


async def close(database: Database, redrives: Sequence[Redrive]) -> None:
    """These were handled; unless they failed again meanwhile, they are redriven."""
    if redrives:
        identities, attempts = [each.identity for each in redrives], [each.attempts for each in redrives]
        async with database.transaction() as connection:
            await connection.execute(statement("close_deadletters"), identities, attempts)


async def drop(database: Database, drops: Sequence[Drop]) -> None:
    """Somebody has decided that these need not be handled."""
    if drops:
        identities, because = [each.identity for each in drops], [each.because for each in drops]
        async with database.transaction() as connection:
            await connection.execute(statement("drop_deadletters"), identities, because)


def _row(arrival: Arrival, generation: int) -> tuple[object, ...]:
    about = about_of(arrival.headers)
    original = Arrival(
        about.get("topic", arrival.topic),
        _number(_INTEGER, about.get("partition"), arrival.partition),
        _number(_LONG, about.get("offset"), arrival.offset),
        _instant(about.get("time"), arrival.at),
        arrival.key,
        arrival.value,
        arrival.headers,
        {},
    )
    stage, reason = about.get("stage", "unknown"), about.get("reason", "unknown")
    letter = DeadLetter(original, stage, reason, _number(_INTEGER, about.get("attempts"), 1))
    told = about.get("identity", "")
    return (
        stage,
        reason.replace("\0", ""),
        letter.attempts,
        *_event(arrival),
        arrival.key,
        arrival.value,
        orjson.dumps(header_rows(arrival.headers)).decode(),
        original.topic,
        original.partition,
        original.offset,
        original.at,
        bytes.fromhex(told) if _IDENTITY.fullmatch(told) else letter.identity,
        arrival.at,
        generation,
        about.get("rule", "").replace("\0", ""),
    )


def _event(arrival: Arrival) -> tuple[str | None, str | None, str | None]:
    try:
        event = read_record(arrival.headers, arrival.value)
    except InvalidCloudEvent:
        return None, None, None
    return event.source, event.id, event.type


def _number(digits: re.Pattern[str], text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and digits.fullmatch(text) else otherwise


def _instant(text: str | None, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return otherwise

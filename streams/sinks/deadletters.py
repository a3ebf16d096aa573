"""``deadletters``: the dead-letter topic as a table that people can look at."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.deadletters import DeadLetter, about_of, header_rows
from streams.records import Arrival
from streams.sinks.database import Database, statement

# Digits that fit into a column of 32 and of 64 bits. Nobody of ours has written more.
_INTEGER = re.compile("[0-9]{1,9}")
_LONG = re.compile("[0-9]{1,18}")


async def store(database: Database, arrivals: Sequence[Arrival]) -> None:
    """Store each dead letter once."""
    rows = [_row(arrival) for arrival in arrivals]
    if rows:
        async with database.transaction() as connection:
            await connection.execute(statement("store_deadletters"), *map(list, zip(*rows, strict=True)))


def _row(arrival: Arrival) -> tuple[object, ...]:
    about = about_of(arrival.headers)
    original = Arrival(
        about.get("topic", arrival.topic),
        _number(_INTEGER, about.get("partition"), arrival.partition),
        _number(_LONG, about.get("offset"), arrival.offset),
        arrival.at,
        arrival.key,
        arrival.value,
        arrival.headers,
        {},
    )
    stage, reason = about.get("stage", "unknown"), about.get("reason", "unknown")
    letter = DeadLetter(original, stage, reason, _number(_INTEGER, about.get("attempts"), 1))
    return (
        stage,
        reason.replace("\0", ""),
        letter.attempts,
        *_identity(arrival),
        arrival.key,
        arrival.value,
        orjson.dumps(header_rows(arrival.headers)).decode(),
        original.topic,
        original.partition,
        original.offset,
        _instant(about.get("time"), arrival.at),
        letter.identity,
    )


def _identity(arrival: Arrival) -> tuple[str | None, str | None, str | None]:
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

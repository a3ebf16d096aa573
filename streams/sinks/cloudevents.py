"""``cloudevents_raw``: every acknowledged event, its bytes, and what became of it."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_or
from streams.records import Arrival
from streams.router import Fate
from streams.sinks.columns import columns
from streams.sinks.database import Connection, Database, statement


@dataclass(frozen=True, slots=True)
class SettledEvent:
    """One event whose fate is known, and where it arrived."""

    event: CloudEvent
    arrival: Arrival
    fate: Fate


def digest_of(event: CloudEvent) -> bytes:
    """SHA-256 of the data; an event without data differs from one whose data is empty."""
    return hashlib.sha256(b"\0" if event.body is None else b"\1" + event.body).digest()


async def find_conflicts(database: Database, events: Sequence[CloudEvent]) -> set[int]:
    """Positions in ``events`` whose source and id are stored, or stand earlier in it, with other data."""
    rows = await database.fetch(
        statement("find_digests"), [event.source for event in events], [event.id for event in events]
    )
    known = {(row["source"], row["id"]): bytes(row["digest"]) for row in rows}
    return {
        position
        for position, event in enumerate(events)
        if known.setdefault((event.source, event.id), digest := digest_of(event)) != digest
    }


async def store(database: Database, settled: Sequence[SettledEvent]) -> list[SettledEvent]:
    """Store each event once, the first wins. Returns those whose source and id were taken by other data."""
    if not settled:
        return []
    rows = [row_of(entry) for entry in settled]
    async with database.transaction() as connection:
        done = await connection.execute(statement("store_cloudevents"), *columns(rows))
        building = await database.is_building(connection)
        if building:
            await _store_fates(connection, rows)
        all_new = done == f"INSERT 0 {len(rows)}"
        again = [row for row, entry in zip(rows, settled, strict=True) if entry.arrival.redrive is not None]
        if not all_new and not building:
            again = rows  # a batch done again by a program that was corrected meanwhile handles what was dead
        if again:
            await _move_fates(connection, again, building=building)
    if all_new:
        return []
    conflicts = await find_conflicts(database, [entry.event for entry in settled])
    return [settled[position] for position in sorted(conflicts)]


async def _store_fates(connection: Connection, rows: Sequence[Sequence[object]]) -> None:
    fates = [(row[2], row[3], row[11], row[12], row[13], row[14]) for row in rows]
    await connection.execute(statement("store_fates"), *columns(fates))


async def _move_fates(connection: Connection, rows: Sequence[Sequence[object]], *, building: bool) -> None:
    """What was dead and is redriven gets its new fate, in the generation that is being built: there."""
    places = (2, 3, 11, 12, 13, 14) if building else (2, 3, 8, 11, 12, 13, 14)
    fates = [[row[place] for place in places] for row in rows]
    name = "move_building_fates" if building else "move_fates"
    await connection.execute(statement(name), *columns(fates))


def row_of(entry: SettledEvent) -> tuple[object, ...]:
    """The values of the row, in the order of ``store_cloudevents.sql``."""
    event, arrival, fate = entry.event, entry.arrival, entry.fate
    outputs = [{"source": out.source, "id": out.id, "type": out.type} for out in fate.cdevents]
    return (
        to_json_format(event),
        instant_or(event.time, arrival.at),
        event.source,
        event.id,
        event.type,
        event.subject,
        orjson.dumps(dict(event.attributes)).decode(),
        event.body,
        digest_of(event),
        arrival.at,
        arrival.traceparent,
        fate.fate,
        fate.reason,
        fate.rule,
        orjson.dumps(outputs).decode(),
        arrival.topic,
        arrival.partition,
        arrival.offset,
    )


def to_json_format(event: CloudEvent) -> str:
    """The event in CloudEvents JSON format, JSON data standing in it exactly as it was received."""
    envelope = orjson.dumps(dict(event.attributes))
    if event.body is None:
        return envelope.decode()
    if event.is_json:
        data = b'"data":' + event.body
    else:
        data = orjson.dumps({"data_base64": base64.b64encode(event.body).decode()})[1:-1]
    event.release()
    return (envelope[:-1] + b"," + data + b"}").decode()

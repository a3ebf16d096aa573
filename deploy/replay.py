"""The recorded events, played to the workers of a generation that is being built.

An event with its bytes is played as it came in, over the replay topic. What functions returned is taken as it
was recorded, and so is everything whose bytes retention has removed: those CDEvents are published again for
the new generation, and the event's fate is copied.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from access.kafka import Cluster
from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import to_record
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.kafka import key_of, write_binary
from schemas.topics import LARGEST_RECORD, Topics
from streams.facts import partition_key

CHUNK = 500  # raw rows fetched and published at once

Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]
Connection = "asyncpg.Connection[asyncpg.Record]"

EVENTS = """
SELECT event_id, attributes, body, content IS NULL AS emptied, topic, topic_partition, topic_offset,
       received_at, traceparent, source, id, coalesce(rule, '') AS rule
FROM cloudevents_raw WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id LIMIT $3
"""
KEPT = """
SELECT made.content, made.cause_source, made.cause_id, made.rule, made.traceparent
FROM cdevents_raw AS made
JOIN unnest($1::text[], $2::text[], $3::boolean[]) AS event (source, id, whole)
  ON made.cause_source = event.source AND made.cause_id = event.id
WHERE event.whole OR made.rule LIKE 'http://%' OR made.rule LIKE 'https://%'
"""
COPY_FATES = """
INSERT INTO building.fates (source, id, fate, reason, rule, outputs)
SELECT event.source, event.id, event.fate, event.reason, event.rule, event.outputs
FROM cloudevents_raw AS event
JOIN unnest($1::text[], $2::text[]) AS kept (source, id) ON event.source = kept.source AND event.id = kept.id
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Target:
    """The generation that the recorded events are played to, and the catalog that it works with."""

    topics: Topics
    generation: int
    catalog: Catalog


async def replay(
    connection: Any, kafka: Cluster, target: Target, mark: int, report: Callable[[int], None]
) -> int:
    """Publish everything recorded up to the row ``mark``, confirmed. Returns the number of events."""
    producer = AIOKafkaProducer(acks="all", max_request_size=LARGEST_RECORD, **kafka.options())
    await producer.start()
    done = 0
    try:
        async for rows in chunks(connection, mark):
            records = [event_record(target, row) for row in rows if not is_kept(row)]
            records += await kept_records(connection, target, rows)
            sent = [await producer.send(t, value, key, headers=headers) for t, key, value, headers in records]
            for confirmation in sent:
                await confirmation
            done += len(rows)
            report(done)
    finally:
        await producer.stop()
    return done


async def chunks(connection: Any, mark: int) -> AsyncIterator[list[asyncpg.Record]]:
    """The recorded rows in order, a few at a time."""
    last = 0
    while rows := await connection.fetch(EVENTS, last, mark, CHUNK):
        yield rows
        last = rows[-1]["event_id"]


def is_kept(row: asyncpg.Record) -> bool:
    """Whether the row's outcome is copied as it was: its bytes are gone, or functions alone decided it."""
    return bool(row["emptied"]) or str(row["rule"]).startswith(("http://", "https://"))


def event_record(target: Target, row: asyncpg.Record) -> Record:
    """A recorded event as it came in, marked with where it did."""
    event = CloudEvent(orjson.loads(row["attributes"]), row["body"])
    headers, value = write_binary(event)
    milliseconds = int(row["received_at"].timestamp() * 1000)
    origin = f"{row['topic_partition']} {row['topic_offset']} {milliseconds} {row['topic']}"
    headers = [
        *headers,
        ("dora-origin", origin.encode()),
        ("dora-generation", str(target.generation).encode()),
    ]
    if row["traceparent"] is not None:
        headers.append(("traceparent", row["traceparent"].encode()))
    return target.topics.replay(target.generation), key_of(event), value, headers


async def kept_records(connection: Any, target: Target, rows: Sequence[asyncpg.Record]) -> list[Record]:
    """The recorded CDEvents that are not made again, for the new generation; their events' fates copied."""
    kept = [row for row in rows if is_kept(row)]
    sources, ids = [row["source"] for row in kept], [row["id"] for row in kept]
    await connection.execute(COPY_FATES, sources, ids)
    whole = [is_kept(row) for row in rows]
    made = await connection.fetch(KEPT, [row["source"] for row in rows], [row["id"] for row in rows], whole)
    return [cdevent_record(target, row) for row in made]


def cdevent_record(target: Target, row: asyncpg.Record) -> Record:
    """A recorded CDEvent as the workers publish one."""
    cdevent = CDEvent(orjson.loads(row["content"]), (row["cause_source"], row["cause_id"]), row["rule"])
    _, value, headers = to_record(cdevent, row["traceparent"])
    marks = [("dora-generation", str(target.generation).encode()), ("dora-rule", row["rule"].encode())]
    key = partition_key(cdevent, target.catalog)
    return target.topics["cdevents"], key, value, [*headers, *marks]

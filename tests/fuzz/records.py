"""Damaged Kafka records for every topic that a worker reads, and the way to write them past all checks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import to_record
from schemas.cloudevents.kafka import key_of, write_binary
from schemas.topics import Topics
from streams.deadletters import DeadLetter
from streams.records import GENERATION, ORIGIN, RULE, SOURCE, Arrival
from streams.router import Routes, decide
from streams.sources import find_sources
from tests.fuzz.corpus import events
from tests.fuzz.mutations import BODIES, HOSTILE_TEXT

Headers = list[tuple[str, bytes | None]]

RECEIVED = datetime(2026, 7, 1, tzinfo=UTC)
SMALL = 5_000  # bytes; most records are, so that a run measures handling and not copying
# Only loopback, and refused at once.
NOBODY = "http://127.0.0.1:9/function"


class RawName(str):
    """A header name that is written as bytes which are no text."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe" + str.__str__(self).encode("utf-8", "replace")


NAMES = ("ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_subject", "ce_data", "ce_Ext",
          "ce_",
         "content-type", "Content-Type", "traceparent", "deadletter-reason", "deadletter-offset", "",
         "x" * 5000,
         GENERATION, "dora-origin", SOURCE, "dora-settles", RULE, RawName("x"), RawName("ce_id"))  # fmt: skip
VALUES = (
    None,
    *HOSTILE_TEXT,
    b"1",
    b"2",
    b"github",
    b"cloudevents 0 1 2",
    b"0 99999999999 0 cloudevents",
    b"\0",
)
LOCKED = frozenset({"dora-targets"})  # a worker calls what stands there


@dataclass(frozen=True)
class Sent:
    """One record and, once it is written, its place."""

    role: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = -1
    offset: int = -1

    def message(self, topics: Topics) -> Any:
        """The record as a consumer gets it."""
        return SimpleNamespace(
            topic=topics[self.role],
            partition=self.partition,
            offset=self.offset,
            timestamp=1_790_000_000.0,
            key=self.key,
            value=self.value,
            headers=[
                (str(name.encode(), "utf-8", "backslashreplace"), value) for name, value in self.headers
            ],
        )


@cache
def undamaged() -> dict[str, tuple[Sent, ...]]:
    """Proper records of each topic, made of the recorded events as the stages make them."""
    routes, catalog, topics = Routes(find_sources()), Catalog.empty(), Topics()
    made: dict[str, list[Sent]] = {
        role: [] for role in ("cloudevents", "cdevents", "observations", "functions")
    }
    made["deadletters"] = []
    for number, event in enumerate(events()):
        headers, value = write_binary(event)
        made["cloudevents"].append(Sent("cloudevents", key_of(event), value, [*headers]))
        arrival = Arrival(topics["cloudevents"], 0, number, RECEIVED, key_of(event), value, [*headers], {})
        decision = decide(event.with_time(RECEIVED), routes, catalog)
        for uid, source in decision.observations:
            made["observations"].append(
                sent("observations", arrival.forward("", uid.encode(), 1, source=source))
            )
        for cdevent in decision.fate.cdevents if decision.fate else ():
            key, body, fields = to_record(cdevent, None)
            marks = [(GENERATION, b"1"), (RULE, cdevent.rule.encode())]
            made["cdevents"].append(Sent("cdevents", key, body, [*fields, *marks]))
        if number % 10 == 0:
            called = arrival.forward("", b"k", 1, targets=NOBODY, settles="yes")
            made["functions"].append(sent("functions", called))
            made["deadletters"].append(
                sent("deadletters", DeadLetter(arrival, "fuzz", "damaged").to_record("", 1))
            )
    return {role: tuple(records) for role, records in made.items()}


def sent(role: str, outgoing: Any) -> Sent:
    return Sent(role, outgoing.key, outgoing.value, list(outgoing.headers))


WEIGHTS = {"cloudevents": 72, "cdevents": 12, "observations": 8, "deadletters": 7, "functions": 1}


def damaged(number: int, random: Random) -> Sent:
    """One record with one to three faults; many have an identity of their own."""
    role = random.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
    record = random.choice(undamaged()[role])
    while record.value is not None and len(record.value) > SMALL and random.random() < 0.9:
        record = random.choice(undamaged()[role])
    if role != "cdevents" and random.random() < 0.7:  # a CDEvent's own id is inside, too
        unique = f"fuzz-{number}".encode()
        record = replace(record, headers=[(n, unique if n == "ce_id" else v) for n, v in record.headers])
    # Where it first arrived is how its dead letter is told from others.
    origin = f"0 {number} 1782864000000 fuzz.origin".encode()
    record = replace(record, headers=[(n, origin if n == ORIGIN else v) for n, v in record.headers])
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        record = fault(record, random)
    return record


def fault(record: Sent, random: Random) -> Sent:
    """One fault more."""
    match random.choice(("value", "value", "value", "headers", "headers", "headers", "null", "key")):
        case "value":
            return replace(record, value=random.choice(BODIES)(record.value or b"{}", random))
        case "null":
            return replace(record, value=None)
        case "key":
            return replace(record, key=random.choice((None, b"", b"\xff", b"k" * 3000)))
    return replace(record, headers=with_other_headers(record.headers, random))


def with_other_headers(headers: Headers, random: Random) -> Headers:
    """One is missing, different, renamed, there twice, or new; or none is left."""
    changed, place = list(headers), random.randrange(max(1, len(headers)))
    locked = not changed or changed[place][0] in LOCKED
    match random.choice(("drop", "drop", "value", "value", "value", "name", "twice", "new", "none", "order")):
        case "drop" if changed:
            del changed[place]
        case "value" if not locked:
            changed[place] = (changed[place][0], random.choice(VALUES))
        case "name" if not locked:
            changed[place] = (random.choice(NAMES), changed[place][1])
        case "twice" if changed:
            changed.append(changed[place])
        case "none":
            changed = []
        case "order":
            random.shuffle(changed)
        case _:
            changed.append((random.choice(NAMES), random.choice(VALUES)))
    return changed


class Writer:
    """Writes records in batches of its own making, as any client could; remembers where each went."""

    def __init__(self, producer: AIOKafkaProducer, topics: Topics) -> None:
        self.producer, self.topics = producer, topics

    async def write(self, records: Sequence[Sent], random: Random) -> list[Sent]:
        """The records of one topic with their places, all in one partition."""
        partition = random.randrange(self.topics.partitions)
        written: list[Sent] = []
        waiting = list(records)
        while waiting:
            batch = self.producer.create_batch()
            compression = random.choice((0, 0, 1))  # none, gzip
            batch._builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 900_000)
            taken: list[Sent] = []
            while waiting:
                record = waiting[0]
                if not batch.append(
                    key=record.key, value=record.value, timestamp=None, headers=record.headers
                ):
                    break
                taken.append(waiting.pop(0))
            topic = self.topics[records[0].role]
            done = await (await self.producer.send_batch(batch, topic, partition=partition))
            written += [
                replace(record, partition=partition, offset=done.offset + n) for n, record in enumerate(taken)
            ]
        return written

"""100,000 damaged records straight onto the topics of a real worker: each ends somewhere, and it goes on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from streams.records import arrival_of, generation_of
from streams.sinks.cloudevents import digest_of
from tests.fuzz.records import Sent, Writer, damaged
from tests.infra.production import eventually, fetch, produce
from tests.infra.servers import Infra
from tests.infra.workers import Worker
from tests.streams.produced import cloudevent

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4)]

GENERATION = 1
GROWTH = 160 * 2**20  # bytes: the tables' caches, and what a larger batch left fragmented


@asynccontextmanager
async def worker(infra: Infra, topics: Topics, dsn: str, folder: Path) -> AsyncIterator[Worker]:
    program = Worker(infra.kafka, topics, dsn, folder / "worker", function_attempts="1", function_timeout="1")
    program.start()
    try:
        await program.ready()
        yield program
    finally:
        program.kill()


async def fuzz(infra: Infra, topics: Topics, dsn: str, folder: Path, number: int, seed: int) -> None:
    async with worker(infra, topics, dsn, folder) as program:
        assert program.process is not None
        pid = program.process.pid
        written = await play(infra, topics, number // 10, seed + 1)
        before = await settled(program)
        written += await play(infra, topics, number, seed)
        after = await settled(program)
        roles = dict(Counter(each.role for each in written))
        print(f"\nKafka: {len(written)} records {roles}; memory {before[0] >> 20} -> {after[0] >> 20} MiB,")
        print(f"       files {before[1]} -> {after[1]}")
        ends = await end_of_each(written, topics, dsn)
        print(f"       ended {dict(Counter((each.role, end) for each, end in ends))}")
        assert [each for each, end in ends if end == "lost"][:5] == []
        assert program.running
        assert program.process.pid == pid
        await assert_it_goes_on(infra, topics, dsn)
        assert after[0] <= before[0] + GROWTH
        assert after[1] <= before[1] + 10


async def play(infra: Infra, topics: Topics, number: int, seed: int) -> list[Sent]:
    """Write damaged records to every topic that a worker reads."""
    random = Random(seed)
    producer = AIOKafkaProducer(bootstrap_servers=infra.kafka, acks="all", max_request_size=2_000_000)
    await producer.start()
    try:
        writer, written = Writer(producer, topics), []
        for start in range(0, number, 400):
            by_role: dict[str, list[Sent]] = {}
            for each in range(start, min(number, start + 400)):
                record = damaged(seed * 1_000_000 + each, random)
                by_role.setdefault(record.role, []).append(record)
            for records in by_role.values():
                written += await writer.write(records, random)
        return written
    finally:
        await producer.stop()


async def settled(program: Worker) -> tuple[int, int]:
    """Memory and open files once nothing is left to do."""

    async def nothing_left() -> bool:
        assert program.running, program.log()
        lag = (await program.health())["lag"]
        return bool(lag) and not any(lag.values())

    for _ in range(2):
        await asyncio.sleep(1.2)  # the lag is told once a second, and one stage feeds another
        await eventually(nothing_left, seconds=400, what=f"lag 0 {program.log()}")
    assert program.process is not None
    process = psutil.Process(program.process.pid)
    return process.memory_info().rss, process.num_fds()


async def end_of_each(written: list[Sent], topics: Topics, dsn: str) -> list[tuple[Sent, str]]:
    """Where each record ended: in a ``row``, as a ``dead letter``, or ``ignored``, being nobody's."""
    rows = await fetch(dsn, "SELECT source, id, digest FROM cloudevents_raw")
    known = {(row["source"], row["id"]): bytes(row["digest"]) for row in rows}
    told = {(row[0], row[1]) for row in await fetch(dsn, "SELECT cd_source, cd_id FROM cdevents_raw")}
    places = {tuple(row) for row in await fetch(dsn, PLACES)}
    return [(each, end(each, topics, known, told, places)) for each in written]


PLACES = "SELECT origin_topic, origin_partition, origin_offset FROM deadletters"


def end(sent: Sent, topics: Topics, known: Any, told: Any, places: Any) -> str:
    message = sent.message(topics)
    is_internal = sent.role != "cloudevents"
    if is_internal and sent.role != "cdevents" and generation_of(message.headers) != GENERATION:
        return "ignored"
    if sent.role == "deadletters":
        return "dead letter"  # its own bytes say which; counted by the worker
    marked = generation_of(message.headers)
    if sent.role == "cdevents" and marked not in (None, GENERATION):
        return "ignored"
    arrival = arrival_of(message, internal_topic=is_internal and marked is not None)
    if (arrival.topic, arrival.partition, arrival.offset) in places:
        return "dead letter"
    try:
        event = read_record(arrival.headers, arrival.value)
    except InvalidCloudEvent:
        return "lost"
    identity = (event.source, event.id)
    if sent.role == "cdevents":
        return "row" if identity in told else "lost"
    is_there = identity in known and (is_internal or known[identity] == digest_of(event))
    return "row" if is_there else "lost"


async def assert_it_goes_on(infra: Infra, topics: Topics, dsn: str) -> None:
    await produce(infra.kafka, topics["cloudevents"], [cloudevent("after the storm")])

    async def stored() -> bool:
        return bool(await fetch(dsn, "SELECT 1 FROM cloudevents_raw WHERE id = 'after the storm'"))

    await eventually(stored, what="the next event")


async def test_a_sample_of_damaged_records(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    await fuzz(infra, topics, database, tmp_path, number=1_500, seed=20261123)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
async def test_damaged_records(infra: Infra, topics: Topics, database: str, tmp_path: Path) -> None:
    await fuzz(infra, topics, database, tmp_path, number=100_000, seed=1)

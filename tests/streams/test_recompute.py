"""Recompute: the next generation says the same as the one before, whatever happens meanwhile."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from access.kafka import Cluster
from deploy.pruning import Pruned, own_topics, prune
from deploy.recompute import Plan, Recomputed, recompute
from schemas.calendar import bucket_of, local_day
from schemas.catalog import Catalog
from schemas.topics import Topics
from streams.progress import EXIT_SUPERSEDED
from tests.infra.databases import execute
from tests.infra.production import Record, count, eventually, fetch, produce
from tests.infra.programs import Program
from tests.infra.servers import Infra
from tests.streams.called import Function, serving
from tests.streams.produced import cloudevent, deployed, recorded
from tests.streams.running import ended, running, worker
from tests.streams.test_functions import binary, document

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4), pytest.mark.timeout(120)]

# Three deployments a day over two weeks, the late ones on the next day in Auckland.
TIMES = [f"2026-03-{day:02d}T{hour}:30:00Z" for day in range(2, 16) for hour in ("02", "10", "22")]


def before() -> list[Record]:
    """Deployments of both kinds, what nothing maps, and what is no event at all."""
    natives = [deployed(f"n{n}", service=f"service-{n % 3}", at=at) for n, at in enumerate(TIMES)]
    unmapped = [cloudevent(f"u{n}", b"not json" if n % 2 else None) for n in range(6)]
    broken = [deployed(f"b{n}", more={"unknown": n}) for n in range(3)]
    garbage: list[Record] = [(None, b"garbage", []), (None, None, [])]
    called = [cloudevent(f"c{n}", event_type="com.example.built") for n in range(6)]
    watched = [*recorded("deployments"), *recorded("references")]
    return [*natives, *unmapped, *broken, *garbage, *called, *watched]


def plan(infra: Infra, topics: Topics, dsn: str, timezone: str | None = None) -> Plan:
    return Plan(
        kafka=Cluster(infra.kafka),
        postgres=dsn,
        topics=topics,
        inputs=(topics["cloudevents"],),
        timezone=timezone,
        catalog=Catalog.empty(),
    )


@pytest.fixture
def function() -> Iterator[Function]:
    """A function that makes a deployment of an event, under an id that it never gives again."""
    with serving() as function:
        function.answer = lambda _: binary(
            document(f"made-{len(function.requests)}", timestamp="2026-03-05T12:00:00Z")
        )
        yield function


@pytest.fixture
def one(
    infra: Infra,
    topics: Topics,
    database: str,
    tmp_path: Path,
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
) -> Program:
    """A worker; the one that a recompute starts finds the same settings in the environment."""
    routes = tmp_path / "routes.yaml"
    routes.write_text(f"routes: {{com.example.built: ['{function.url}']}}")
    program = worker(infra, topics, database, tmp_path / "worker", routes=str(routes))
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    return program


async def rows(dsn: str, table: str, key: str) -> dict[Any, dict[str, Any]]:
    """Every row by ``key``, without what says only when or where it was written."""
    meaningless = {"event_id", "recorded_at", "topic_partition", "topic_offset"}
    found = await fetch(dsn, f"SELECT {key} AS key, * FROM {table}")  # noqa: S608
    return {row["key"]: {k: v for k, v in row.items() if k not in meaningless} for row in found}


async def everything(dsn: str) -> dict[str, dict[Any, dict[str, Any]]]:
    """All that a generation says."""
    return {
        "fates": await rows(dsn, "cloudevents_raw", "(source, id)"),
        "cdevents": await rows(dsn, "cdevents_raw", "(cd_source, cd_id)"),
        "deployments": await rows(dsn, "deployments", "deploy_id"),
        "frequency": await rows(dsn, "deployment_frequency", "(service, environment, bucket, bucket_start)"),
    }


async def recount(dsn: str, zone: ZoneInfo) -> dict[tuple[Any, ...], tuple[int, int]]:
    """``deployment_frequency`` as it follows from ``deployments``."""
    numbers: Counter[tuple[Any, ...]] = Counter()
    days: dict[tuple[Any, ...], set[object]] = {}
    for row in await fetch(dsn, "SELECT service, environment, time_created FROM deployments WHERE counted"):
        for bucket in ("day", "week", "month", "year"):
            start = bucket_of(row["time_created"], bucket, zone)[0]
            cell = (row["service"], row["environment"], bucket, start)
            numbers[cell] += 1
            days.setdefault(cell, set()).add(local_day(row["time_created"], zone))
    return {cell: (number, len(days[cell])) for cell, number in numbers.items()}


async def stored_frequency(dsn: str) -> dict[tuple[Any, ...], tuple[int, int]]:
    found = await fetch(dsn, "SELECT * FROM deployment_frequency")
    return {
        (row["service"], row["environment"], row["bucket"], row["bucket_start"]): (
            row["deployments"],
            row["deployment_days"],
        )
        for row in found
    }


async def settled(dsn: str, one: Program, events: int) -> None:
    async def all_recorded() -> bool:
        return await count(dsn, "cloudevents_raw") == events

    await eventually(all_recorded, what=f"{events} events recorded")
    await one.settled()


class Live:
    """Traffic that goes on until it is stopped."""

    def __init__(self, infra: Infra, topics: Topics) -> None:
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._send(infra, topics))

    async def _send(self, infra: Infra, topics: Topics) -> int:
        sent = 0
        async with AIOKafkaProducer(bootstrap_servers=infra.kafka, acks="all") as producer:
            while not self._stopping.is_set():
                _, value, headers = deployed(f"live-{sent}", at=TIMES[sent % len(TIMES)])
                await producer.send_and_wait(topics["cloudevents"], value, headers=headers)
                sent += 1
                await asyncio.sleep(0.05)
        return sent

    async def stop(self) -> int:
        """How many events were sent."""
        self._stopping.set()
        return await self._task


async def test_the_next_generation_says_the_same_while_events_come_in(
    infra: Infra, topics: Topics, database: str, one: Program, function: Function
):
    records = before()
    await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
    async with running(one):
        await settled(database, one, len(records) - 2)
        old = await everything(database)
        assert len(function.requests) == 6
        assert {row["fate"] for row in old["fates"].values()} == {"mapped", "ignored", "unmapped"}
        live = Live(infra, topics)
        done = await recompute(plan(infra, topics, database), lambda *_: None)
        assert done.generation == 2
        assert done.events >= len(old["fates"])
        assert await ended(one) == EXIT_SUPERSEDED
        one.start()
        await one.ready()
        sent = await live.stop()
        assert sent > 10
        await settled(database, one, len(records) - 2 + sent)
        assert (await one.get("/healthz"))["generation"] == 2
        assert await asyncio.to_thread(one.stop) == 0
    new = await everything(database)
    for table in ("fates", "cdevents", "deployments"):
        assert {key: new[table].get(key) for key in old[table]} == old[table], table
        assert len(new[table]) == len(old[table]) + sent, table
    assert await stored_frequency(database) == await recount(database, ZoneInfo("UTC"))
    assert await count(database, "deadletters") == 2
    assert len(function.requests) == 6, "a recompute calls no function"
    states = await fetch(database, "SELECT generation, state FROM generations ORDER BY 1")
    assert [tuple(row) for row in states] == [(1, "retired"), (2, "active")]


async def test_another_time_zone_moves_the_buckets_and_nothing_else(
    infra: Infra, topics: Topics, database: str, one: Program
):
    records = before()
    await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
    async with running(one):
        await settled(database, one, len(records) - 2)
        # Of these retention has removed the bytes: what they had become is kept.
        emptied = "UPDATE cloudevents_raw SET content = NULL, body = NULL WHERE id LIKE 'n1%' OR id = 'u0'"
        await execute(database, emptied)
        old = await everything(database)
        assert await stored_frequency(database) == await recount(database, ZoneInfo("UTC"))
        auckland = plan(infra, topics, database, "Pacific/Auckland")
        assert await recompute(auckland, lambda *_: None) == Recomputed(2, len(old["fates"]))
        assert await ended(one) == EXIT_SUPERSEDED
    new = await everything(database)
    for table in ("fates", "cdevents", "deployments"):
        assert new[table] == old[table], table
    assert await stored_frequency(database) == await recount(database, ZoneInfo("Pacific/Auckland"))
    assert new["frequency"].keys().isdisjoint(old["frequency"])


# The worker that a recompute starts is not broken: what was deployed since is correct.
BROKEN = """
from streams.source import Source
from streams.agents import record
transform, facts_of = Source.transform, record.facts_of

def broken(self, event, catalog):
    if event.id == "bug":
        raise ZeroDivisionError
    return transform(self, event, catalog)

def factless(event, catalog):
    if event.subject_id == "uncounted":
        raise ZeroDivisionError
    return facts_of(event, catalog)

Source.transform, record.facts_of = broken, factless
"""


async def test_a_recompute_is_a_redrive_of_all_dead_letters_that_it_could_handle(
    infra: Infra, topics: Topics, database: str, one: Program
):
    one.before = BROKEN
    records = [deployed("bug"), deployed("cd", service="uncounted"), cloudevent("taken", b"1", key=b"k")]
    records += [cloudevent("taken", b"2", key=b"k"), (None, b"garbage", [])]
    states = "SELECT coalesce(id, stage), state FROM deadletters ORDER BY 1"
    await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
    async with running(one):
        await settled(database, one, 3)
        assert {tuple(row) for row in await fetch(database, states)} == {
            ("bug", "open"),
            ("cd", "open"),
            ("read", "open"),
            ("taken", "open"),
        }
        await recompute(plan(infra, topics, database), lambda *_: None)
    assert {tuple(row) for row in await fetch(database, states)} == {
        ("bug", "redriven"),
        ("cd", "redriven"),
        ("read", "open"),
        ("taken", "open"),
    }
    fates = await fetch(database, "SELECT id, fate FROM cloudevents_raw ORDER BY 1")
    assert [tuple(row) for row in fates] == [("bug", "mapped"), ("cd", "mapped"), ("taken", "unmapped")]
    assert await count(database, "deployments") == 2
    await leaves_nothing(infra, topics, database, one)


async def leaves_nothing(infra: Infra, topics: Topics, dsn: str, one: Program) -> None:
    """What the retired generation had on Kafka and on disk goes, once its last worker is gone; not before."""
    cluster = Cluster(infra.kafka)
    state = Path(one.environment["DORA_STATE_DIR"])
    one.before = ""
    one.environment["DORA_GENERATION"] = ""
    assert (state / topics.application(1)).is_dir()
    # It was killed, and Kafka misses it only after its session time-out.
    assert (await prune(cluster, dsn, topics)).in_use == (1,)
    before = await names(infra)
    removed: set[str] = set()

    async def gone() -> bool:
        pruned = await prune(cluster, dsn, topics)
        removed.update(pruned.removed)
        return not pruned.in_use

    await eventually(gone, what="nobody is left in the group of the first generation")
    assert removed == own_topics(topics, 1)
    assert before - await names(infra) == own_topics(topics, 1)
    assert await prune(cluster, dsn, topics) == Pruned((), ())
    # The active generation has everything that it needs.
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], [deployed("later")], topics.partitions)
        await settled(dsn, one, 4)
    assert os.listdir(state) == [topics.application(2)]  # noqa: PTH208 - one look, and a test


async def names(infra: Infra) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()

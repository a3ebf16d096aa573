"""How workers begin and end: several at once, wrong settings, another generation, no database."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from access.kafka import Cluster
from deploy.deadletters import redrive_order
from deploy.embedded.postgres import Postgres
from deploy.kafka_topics import create
from deploy.migrations import migrate
from schemas.topics import Topics
from streams.guard import Limit
from streams.progress import EXIT_STUCK, EXIT_SUPERSEDED
from tests.infra.databases import execute
from tests.infra.production import count, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.streams.produced import deployed
from tests.streams.running import ended, running, worker

pytestmark = pytest.mark.connected

ALL_WEEK = [f"2026-03-{day:02d}T10:00:00Z" for day in range(2, 9)]


def week(prefix: str, services: int = 6) -> list[tuple[str, str, str]]:
    """(id, service, time) of one deployment of each service on each day of a week."""
    return [(f"{prefix}-{n}-{at}", f"service-{n}", at) for n in range(services) for at in ALL_WEEK]


async def send(infra: Infra, topics: Topics, prefix: str) -> int:
    records = [deployed(event_id, service=service, at=at) for event_id, service, at in week(prefix)]
    return await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)


async def counted(dsn: str, deployments: int) -> None:
    """Wait until every table has them, each week of a service in one row."""

    async def settled() -> bool:
        weeks = await fetch(dsn, "SELECT deployments FROM deployment_frequency WHERE bucket = 'week'")
        return (
            await count(dsn, "cloudevents_raw") == deployments
            and await count(dsn, "deployments") == deployments
            and sum(row["deployments"] for row in weeks) == deployments
        )

    await eventually(settled, what=f"{deployments} deployments counted")


async def test_two_workers_share_the_partitions_and_stop_cleanly(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one, two = (worker(infra, topics, database, tmp_path / name) for name in ("one", "two"))
    async with running(one, two):
        sent = await send(infra, topics, "a")
        await counted(database, sent)
        await asyncio.gather(one.settled(), two.settled())
        shares = [len((await each.get("/healthz"))["lag"]) for each in (one, two)]
        assert all(shares), "each has partitions of its own"
        # The second leaves while there is work; what it held is counted once by the first.
        sent += await send(infra, topics, "b")
        assert await asyncio.to_thread(two.stop) == 0
        await counted(database, sent)
        assert await asyncio.to_thread(one.stop) == 0
    rows = await fetch(
        database,
        "SELECT DISTINCT deployments, deployment_days FROM deployment_frequency WHERE bucket = 'week'",
    )
    assert [tuple(row) for row in rows] == [(14, 7)]
    assert await count(database, "deadletters") == 0


async def test_a_worker_that_keeps_its_name_may_come_back_to_read_more(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    """Kafka gives a static member its old partitions back without asking what it subscribes to now."""
    further = replace(next(topics.all()), name=f"{topics.prefix}knative")
    await create(Cluster(infra.kafka), [further])
    one = worker(infra, topics, database, tmp_path / "one", instance="one")
    async with running(one):
        assert await asyncio.to_thread(one.stop) == 0
        one.environment["DORA_INPUT_TOPICS"] = further.name
        one.start()
        records = [deployed(event_id, service=service, at=at) for event_id, service, at in week("k")]
        sent = await produce(infra.kafka, further.name, records, topics.partitions)
        await counted(database, sent)


async def test_another_time_zone_than_the_tables_is_refused_with_advice(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one = worker(infra, topics, database, tmp_path / "worker", timezone="Europe/Berlin")
    one.start()
    assert await ended(one) == 1
    assert "dora recompute --timezone Europe/Berlin" in one.log()
    assert "Traceback" not in one.log()


async def test_another_catalog_than_that_of_the_rows_is_refused_with_advice(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    """Half of the workers would give their events other services than the other half."""
    (tmp_path / "catalog.yaml").write_text("services: {checkout: {workloads: [kasse]}}")
    one = worker(infra, topics, database, tmp_path / "one")
    two = worker(infra, topics, database, tmp_path / "two", catalog=str(tmp_path / "catalog.yaml"))
    async with running(one):
        two.start()
        assert await ended(two) == 1
        assert one.running
    assert "DORA_CATALOG says now; to change over run: dora recompute" in two.log()
    assert "Traceback" not in two.log()


async def has_deployments(dsn: str, number: int) -> bool:
    return await count(dsn, "deployments") == number


STRUCTURED = [("content-type", b"application/cloudevents+json")]
BAD_DEPLOY = """
from streams.source import Source

def transform(self, event, catalog):
    raise ZeroDivisionError("s3cret")

Source.transform = transform
"""


async def test_r9_a_bad_deploy_stops_the_worker_and_costs_no_event(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one = worker(infra, topics, database, tmp_path / "worker", batch_size="200")
    one.before = BAD_DEPLOY
    # What senders can cause does not count, however much of it there is.
    garbage = [(None, b"\xff", [])] * 300
    await produce(infra.kafka, topics["cloudevents"], garbage, topics.partitions)
    sent = sum([await send(infra, topics, prefix) for prefix in "abcdefghijkl"])
    for _ in range(2):  # as its supervisor does
        one.start()
        assert await ended(one) == EXIT_STUCK
    *_, last = one.log().splitlines()
    assert '"event": "worker.too_many_dead_letters"' in last
    assert "correct it and start again" in last
    assert "DORA_DEADLETTER_LIMIT" in last
    assert "s3cret" not in last
    # Small batches before the limit was reached; of the one that reached it, nothing.
    buried = "SELECT * FROM deadletters WHERE stage <> 'read'"
    assert len(await fetch(database, buried)) <= one.starts * Limit().most < sent
    one.before = ""
    async with running(one):
        await one.settled()
        dead = await fetch(database, buried)
        assert await count(database, "cloudevents_raw") == sent
        # What was buried just before the end and not committed is done again, and is no longer dead.
        gone = await fetch(database, "SELECT 1 FROM cloudevents_raw WHERE fate = 'dead'")
        assert await count(database, "deployments") == sent - len(gone)
        assert len(gone) <= len(dead)
        orders = [(None, redrive_order(row).body, STRUCTURED) for row in dead]
        await produce(infra.kafka, topics["cloudevents"], orders, topics.partitions)
        # Each order has its row as well.
        await eventually(lambda: has_deployments(database, sent), what="the backlog worked off")
        await one.settled()
    assert {row["state"] for row in await fetch(database, buried)} <= {"redriven"}
    assert await count(database, "deadletters") == len(garbage) + len(dead)


async def test_a_worker_of_a_generation_that_is_over_ends_with_its_own_code(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    idle_one = worker(infra, topics, database, tmp_path / "idle")
    async with running(idle_one):
        await execute(database, "UPDATE generations SET state = 'retired'")
        assert await ended(idle_one) == EXIT_SUPERSEDED
    again = worker(infra, topics, database, tmp_path / "again")
    again.start()
    assert await ended(again) == 1
    assert "there is no such generation; run: dora migrate" in again.log()


async def test_a_worker_with_work_notices_at_its_next_transaction(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one = worker(infra, topics, database, tmp_path / "worker")
    async with running(one):
        await execute(database, "UPDATE generations SET state = 'retired'")
        await send(infra, topics, "a")
        assert await ended(one, seconds=4) == EXIT_SUPERSEDED
    assert await count(database, "cloudevents_raw") == 0
    assert await count(database, "deployments") == 0


@pytest.fixture
def own_postgres(tmp_path: Path):
    """A PostgreSQL that this test may stop."""
    server = Postgres(tmp_path / "postgres")
    server.start()
    yield server
    server.kill()


async def test_a_worker_waits_for_a_database_that_is_away_and_goes_on(
    infra: Infra, topics: Topics, own_postgres: Postgres, tmp_path: Path
):
    dsn = own_postgres.dsn()
    await migrate(dsn)
    one = worker(infra, topics, dsn, tmp_path / "worker")
    async with running(one):
        sent = await send(infra, topics, "a")
        await counted(dsn, sent)
        await asyncio.to_thread(own_postgres.kill)
        sent += await send(infra, topics, "b")

        async def waits() -> bool:
            return "PostgreSQL" in str((await one.get("/healthz"))["waiting_for"])

        await eventually(waits, what="the worker says what it waits for")
        assert (await one.get("/readyz"))["waiting_for"] == ["PostgreSQL"]
        assert (await one.get("/healthz"))["status"] == "ok"
        await asyncio.to_thread(own_postgres.restart)
        await counted(dsn, sent)
        await one.settled()
        assert await count(dsn, "deadletters") == 0
        assert one.starts == 1
        # Nor does it hold up a stop: what it has in hand is read again by the next worker.
        await asyncio.to_thread(own_postgres.kill)
        await send(infra, topics, "c")
        await eventually(waits, what="the worker waits once more")
        began = time.monotonic()
        assert await asyncio.to_thread(one.stop) == 0
        assert time.monotonic() - began < 6

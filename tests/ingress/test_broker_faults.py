"""A real ingress process and a broker of its own; one of them is killed, frozen or missing."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from access.kafka import Cluster
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.kafka_topics import create
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from tests.infra.topic_sets import create_topics
from tests.ingress.serving import DEADLINE, Journal, Process, metric, process, until
from tests.ingress.test_kafka import records_on

pytestmark = [pytest.mark.fault, pytest.mark.connected, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker for these tests alone, not started yet."""
    kafka = Kafka(tmp_path_factory.mktemp("broker"), free_port())
    yield kafka
    kafka.kill()


@pytest.fixture
async def settings(broker: Kafka) -> Settings:
    """Topics on the running broker."""
    if not broker.process.running:
        await asyncio.to_thread(broker.start)
    topics = await create_topics(broker.address, 4)
    return Settings(kafka=broker.address, topic_prefix=topics.prefix, partitions=4)


async def test_k1_no_broker_at_start_then_one(broker: Kafka, tmp_path: Path):
    topics = Topics(partitions=4, prefix="late.")
    settings = Settings(kafka=broker.address, topic_prefix=topics.prefix, partitions=4)
    async with process(settings, tmp_path) as ingress:
        assert (await ingress.client.get("/healthz")).status_code == 200
        assert (await ingress.client.get("/readyz")).status_code == 503
        answer = await ingress.post("early")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        await asyncio.to_thread(broker.start)
        await create(Cluster(broker.address), topics.all())
        await until(ingress.ready)
        assert (await ingress.post("late")).status_code == 202
        assert await ingress.end(signal.SIGTERM) == 0
    assert [read_record(record.headers, record.value).id for record in await records_on(settings)] == ["late"]


async def test_k3_a_frozen_broker_is_answered_in_time(settings: Settings, broker: Kafka, tmp_path: Path):
    async with process(settings, tmp_path) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        async with journal.load():
            os.kill(broker.process.pid, signal.SIGSTOP)
            try:
                await until(lambda: journal.answers[503] > 50)
            finally:
                os.kill(broker.process.pid, signal.SIGCONT)
            await until(ingress.ready)
            before = len(journal.accepted)
            await until(lambda: len(journal.accepted) > before + 50)
        assert journal.slowest < DEADLINE
        await until(lambda: metric(ingress, "dora_ingress_events_in_flight", 0))
    await journal.assert_nothing_lost(settings)


async def test_k2_a_broker_killed_under_load_comes_back(settings: Settings, broker: Kafka, tmp_path: Path):
    async with process(settings, tmp_path, patience=3) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        memory = psutil.Process(ingress.process.pid).memory_info
        async with journal.load():
            before_outage = memory().rss
            await asyncio.to_thread(broker.kill)
            await until(lambda: journal.answers[503] > 20)
            assert not await ingress.ready()
            await until(lambda: b"a new connection" in ingress.log.read_bytes())
            # What the old producer could not deliver was given up with it.
            await until(lambda: metric(ingress, "dora_ingress_events_in_flight", 0))
            await asyncio.to_thread(broker.start)
            await until(ingress.ready)
            before = len(journal.accepted)
            await until(lambda: len(journal.accepted) > before + 50)
        assert journal.slowest < DEADLINE
        assert journal.answers[0] == 0
        assert memory().rss < before_outage + 32 * 2**20
    await journal.assert_nothing_lost(settings)


async def test_k6_sigterm_under_load_finishes_what_began(settings: Settings, tmp_path: Path):
    async with process(settings, tmp_path) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        async with journal.load():
            ingress.process.send_signal(signal.SIGTERM)
            await until(lambda: not_ready(ingress), 5)
            assert await asyncio.wait_for(ingress.process.wait(), 15) == 0
        assert b"Traceback" not in ingress.log.read_bytes()
    await journal.assert_nothing_lost(settings)


async def not_ready(ingress: Process) -> bool:
    return not await ingress.ready()


async def test_k7_sigkill_under_load_loses_nothing_acknowledged(settings: Settings, tmp_path: Path):
    async with process(settings, tmp_path) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        async with journal.load():
            await ingress.end(signal.SIGKILL)
    await journal.assert_nothing_lost(settings)


async def test_a_port_that_is_taken_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "deploy.cli", "ingress"),
            env={**os.environ, "DORA_PORT": str(port)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await child.communicate()
    assert child.returncode == 1
    expected = (
        f"dora: cannot listen on 127.0.0.1:{port} (Address already in use): set another DORA_PORT, or 0"
    )
    assert errors.decode().splitlines() == [expected]


async def test_k6_it_ends_in_time_while_the_broker_is_away(settings: Settings, broker: Kafka, tmp_path: Path):
    async with process(settings, tmp_path) as ingress:
        await until(ingress.ready)
        await asyncio.to_thread(broker.kill)
        waiting = [asyncio.create_task(ingress.post(str(number))) for number in range(5)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert await ingress.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 20
        answers = await asyncio.gather(*waiting)
        assert {answer.status_code for answer in answers} == {503}

"""A real ingress process and a broker of its own; one of them is killed, frozen or missing."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.kafka_topics import create
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from tests.infra.topic_sets import create_topics
from tests.ingress.test_kafka import records_on

pytestmark = [pytest.mark.fault, pytest.mark.connected, pytest.mark.timeout(240)]

# An outage of 3 s is long enough here for the producer to be replaced; 20 s otherwise.
PROGRAM = (
    "from deploy.logs import configure; configure();"
    "from ingress import publisher; publisher.GIVE_UP_AFTER = {patience};"
    "from ingress.app import serve; from ingress.settings import Settings; serve(Settings())"
)
PATIENCE = 20
BINARY = {"ce-specversion": "1.0", "ce-type": "t", "ce-source": "/s", "content-type": "application/json"}
DEADLINE = 8  # seconds: GitHub and GitLab wait for 10


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


class Process:
    """An ingress as `dora ingress` runs it."""

    def __init__(self, process: asyncio.subprocess.Process, client: httpx.AsyncClient, log: Path) -> None:
        self.process, self.client, self.log = process, client, log

    async def post(self, event_id: str) -> httpx.Response:
        return await self.client.post("/", headers={**BINARY, "ce-id": event_id}, content=b"{}", timeout=30)

    async def ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return (await self.client.get("/readyz")).status_code == 200
        return False

    async def end(self, number: int) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def process(
    settings: Settings, folder: Path, patience: float = PATIENCE, **changed: str
) -> AsyncIterator[Process]:
    port_file, log = folder / "port", folder / "log"
    environment = {
        **os.environ,
        "DORA_KAFKA": settings.kafka,
        "DORA_TOPIC_PREFIX": settings.topic_prefix,
        "DORA_PARTITIONS": str(settings.partitions),
        "DORA_PORT": "0",
        "DORA_PORT_FILE": str(port_file),
        **changed,
    }
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM.format(patience=patience),
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        await until(port_file.exists)
        base = f"http://127.0.0.1:{int(port_file.read_text())}"
        async with httpx.AsyncClient(base_url=base, limits=httpx.Limits(max_connections=200)) as client:
            yield Process(child, client, log)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def until(check: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.05)


class Journal:
    """What clients were answered, by event id; several clients post until told to stop."""

    def __init__(self, ingress: Process) -> None:
        self.ingress = ingress
        self.accepted: list[str] = []
        self.answers: Counter[int] = Counter()
        self.slowest = 0.0
        self.stop = False

    async def client(self, name: int) -> None:
        number = 0
        while not self.stop:
            event_id = f"{name}-{number}"
            began = time.monotonic()
            try:
                status = (await self.ingress.post(event_id)).status_code
            except httpx.HTTPError:
                status = 0
                await asyncio.sleep(0.02)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers[status] += 1
            if status == 202:
                self.accepted.append(event_id)
            number += 1

    @asynccontextmanager
    async def load(self, clients: int = 8) -> AsyncIterator["Journal"]:
        async with asyncio.TaskGroup() as group:
            for name in range(clients):
                group.create_task(self.client(name))
            await until(lambda: len(self.accepted) > 50)
            try:
                yield self
            finally:
                self.stop = True

    async def assert_nothing_lost(self, settings: Settings) -> None:
        on_topic = {read_record(record.headers, record.value).id for record in await records_on(settings)}
        assert set(self.accepted) <= on_topic
        assert set(self.answers) <= {0, 202, 503}


async def test_no_broker_at_start_then_one(broker: Kafka, tmp_path: Path):
    topics = Topics(partitions=4, prefix="late.")
    settings = Settings(kafka=broker.address, topic_prefix=topics.prefix, partitions=4)
    async with process(settings, tmp_path) as ingress:
        assert (await ingress.client.get("/healthz")).status_code == 200
        assert (await ingress.client.get("/readyz")).status_code == 503
        answer = await ingress.post("early")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        await asyncio.to_thread(broker.start)
        await create(broker.address, topics.all())
        await until(ingress.ready)
        assert (await ingress.post("late")).status_code == 202
        assert await ingress.end(signal.SIGTERM) == 0
    assert [read_record(record.headers, record.value).id for record in await records_on(settings)] == ["late"]


async def metric(ingress: Process, name: str, value: float) -> bool:
    text = (await ingress.client.get("/metrics")).text
    return f"{name} {value:.1f}\n" in text


async def test_a_frozen_broker_is_answered_in_time(settings: Settings, broker: Kafka, tmp_path: Path):
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


async def test_a_broker_killed_under_load_comes_back(settings: Settings, broker: Kafka, tmp_path: Path):
    async with process(settings, tmp_path, patience=3) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        async with journal.load():
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
    await journal.assert_nothing_lost(settings)


async def test_sigterm_under_load_finishes_what_began(settings: Settings, tmp_path: Path):
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


async def test_sigkill_under_load_loses_nothing_acknowledged(settings: Settings, tmp_path: Path):
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


async def test_it_ends_in_time_while_the_broker_is_away(settings: Settings, broker: Kafka, tmp_path: Path):
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

"""A real ingress process under load, and the journal of what its clients were answered."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from tests.ingress.test_kafka import records_on

# An outage of 3 s is long enough here for the producer to be replaced; 20 s otherwise.
PROGRAM = (
    "from deploy.logs import configure; configure();"
    "from ingress import publisher; publisher.GIVE_UP_AFTER = {patience};"
    "from ingress.app import serve; from ingress.settings import Settings; serve(Settings())"
)
PATIENCE = 20
BINARY = {"ce-specversion": "1.0", "ce-type": "t", "ce-source": "/s", "content-type": "application/json"}
DEADLINE = 8  # seconds: GitHub and GitLab wait for 10


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


async def metric(ingress: Process, name: str, value: float) -> bool:
    text = (await ingress.client.get("/metrics")).text
    return f"{name} {value:.1f}\n" in text

"""A rolling upgrade: every process is replaced by a new one while events come in, as the chart has it done.

Kubernetes sends SIGTERM to the old pod; for the ingress and query a new one is ready first, a worker goes
before its successor comes (`maxSurge: 0`). The three Deployments roll at the same time. Senders do what any
sender must: they repeat what was not acknowledged.
"""

import asyncio
from itertools import count as numbers
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from schemas.topics import Topics
from tests.infra.production import count, eventually, fetch
from tests.infra.programs import Program, environment_of
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4), pytest.mark.timeout(180)]
RATE = 60  # events a second


class Release:
    """The processes of one test. Those behind a service are in ``serving`` once they are ready."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.serving: dict[str, list[Program]] = {"ingress": [], "worker": [], "query": []}
        self.all: list[Program] = []

    async def add(self, command: str) -> None:
        """Start one more, and take it in when it is ready."""
        folder = self.folder / f"{command}-{len(self.all)}"
        program = Program(command, folder, {**self.environment, "DORA_STATE_DIR": str(folder / "state")})
        self.all.append(program)
        program.start()
        await program.ready()
        self.serving[command].append(program)

    async def remove_oldest(self, command: str) -> None:
        """Take the oldest out of its service and end it; it must end as asked."""
        program = self.serving[command].pop(0)
        assert await asyncio.to_thread(program.stop) == 0, program.log()

    async def roll(self, command: str) -> None:
        """Replace each process that is there now by a new one, one at a time."""
        for _ in range(len(self.serving[command])):
            if command == "worker":
                await self.remove_oldest(command)
                await self.add(command)
            else:
                await self.add(command)
                await self.remove_oldest(command)

    def url(self, command: str, turn: int) -> str:
        """Where the next request goes."""
        return self.serving[command][turn % len(self.serving[command])].url


def event(number: int) -> dict[str, Any]:
    """A deployment as a structured CloudEvent; twelve services take turns, so that each has many."""
    name = f"e{number}"
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/upgrade",
        "type": "dev.cdevents.service.deployed.0.3.0",
        "data": {
            "context": {
                "specversion": "0.5.1",
                "id": name,
                "source": "/upgrade",
                "type": "dev.cdevents.service.deployed.0.3.0",
                "timestamp": f"2026-03-{number % 20 + 1:02d}T09:00:00Z",
            },
            "subject": {
                "id": f"s{number % 12}",
                "content": {"environment": {"id": "production"}, "artifactId": f"pkg:oci/s@{number}"},
            },
        },
    }


async def post(client: httpx.AsyncClient, release: Release, number: int) -> None:
    """Post one event until somebody acknowledges it."""
    body = orjson.dumps(event(number))
    for turn in numbers(number):
        try:
            answer = await client.post(
                release.url("ingress", turn) + "/cloudevents",
                content=body,
                headers={"content-type": "application/cloudevents+json"},
            )
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == httpx.codes.ACCEPTED:
            return
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        await asyncio.sleep(0.05)


async def send(release: Release, stop: asyncio.Event) -> int:
    """Post at a steady rate until told to stop; how many were acknowledged."""
    async with httpx.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as posts:
        for number in numbers():
            if stop.is_set():
                break
            posts.create_task(post(client, release, number))
            await asyncio.sleep(1 / RATE)
    return number


async def ask(release: Release, stop: asyncio.Event) -> int:
    """Ask for as long as the upgrade takes; nobody who asks may notice it. How often was asked."""
    for turn in numbers():
        if stop.is_set():
            return turn
        # A connection each, as through a Service: one that is closed by a process that ends is no failure.
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(release.url("query", turn) + "/deploy-frequency/day")
        assert answer.status_code == httpx.codes.OK, answer.text
        await asyncio.sleep(0.1)
    raise AssertionError


async def test_nothing_is_lost_or_counted_twice_while_every_process_is_replaced(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    environment = environment_of(infra.kafka, topics, database, tmp_path / "unused", {})
    release = Release(tmp_path, environment)
    try:
        await asyncio.gather(*(release.add(command) for command in release.serving for _ in range(2)))
        stop = asyncio.Event()
        sending, asking = asyncio.create_task(send(release, stop)), asyncio.create_task(ask(release, stop))
        await asyncio.sleep(2)
        await asyncio.gather(*(release.roll(command) for command in release.serving))
        await asyncio.sleep(1)
        stop.set()
        acknowledged, asked = await sending, await asking

        async def all_recorded() -> bool:
            return await count(database, "cloudevents_raw") >= acknowledged

        await eventually(all_recorded, 60, f"{acknowledged} events recorded")
        for worker in release.serving["worker"]:
            await worker.settled()
    finally:
        for program in release.all:
            program.kill()
    assert acknowledged > 5 * RATE
    assert asked > 20
    assert await count(database, "cloudevents_raw WHERE fate = 'mapped'") == acknowledged
    assert await count(database, "cloudevents_raw") == acknowledged
    assert await count(database, "deployments WHERE counted") == acknowledged
    assert await count(database, "deadletters") == 0
    kept = "SELECT sum(deployments) FROM deployment_frequency WHERE bucket = 'day'"
    assert [row[0] for row in await fetch(database, kept)] == [acknowledged]

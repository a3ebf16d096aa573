"""One running pipeline for many tests: two ingresses, a worker that breaks when told to, and queries."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.embedded.probes import in_thread
from schemas.topics import Topics
from tests.infra import databases, topic_sets
from tests.infra.commands import dora
from tests.infra.production import Record, eventually, fetch, produce
from tests.infra.programs import Program, environment_of
from tests.infra.servers import Infra

GITHUB_SECRET = b"It's a Secret to Everybody"
GITLAB_KEY = b"0123456789abcdef0123456789abcdef"
SECRETS = {
    "DORA_WEBHOOK_GITHUB_SECRETS": GITHUB_SECRET.decode(),
    "DORA_WEBHOOK_GITLAB_SECRETS": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}

# While the file is there, events with "bug" in their id break the transformers: a deploy to be corrected.
BREAKABLE = """
from pathlib import Path
from streams.source import Source
transform = Source.transform

def buggy(self, event, catalog):
    if "bug" in event.id and Path({flag!r}).exists():
        raise ZeroDivisionError("s3cret of a payload")
    return transform(self, event, catalog)

Source.transform = buggy
"""


@dataclass
class Plant:
    """What runs, and ways to use it. ``broken`` is the file that breaks the worker."""

    infra: Infra
    topics: Topics
    dsn: str
    folder: Path
    ingress: Program
    replica: Program
    worker: Program
    query: Program

    @property
    def broken(self) -> Path:
        return self.folder / "broken"

    def command(self, *arguments: str) -> Any:
        """Run ``dora`` as an operator of this installation."""
        return dora(*arguments, DORA_POSTGRES=self.dsn, DORA_INGRESS_URL=self.ingress.url)

    async def order(self, *arguments: str) -> Any:
        """The same without holding up the test's own event loop."""
        return await asyncio.to_thread(self.command, *arguments)

    async def post(
        self, body: bytes, headers: dict[str, str], path: str = "/", *, replica: bool = False
    ) -> int:
        """The status of one POST, to the other ingress if it shall be."""
        ingress = self.replica if replica else self.ingress
        async with httpx.AsyncClient() as client:
            return (await client.post(ingress.url + path, headers=headers, content=body)).status_code

    async def metrics(self) -> str:
        """What the worker counts."""
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.worker.url}/metrics")).text

    async def send(self, *records: Record, topic: str = "cloudevents") -> None:
        """Write records as any producer may."""
        await produce(self.infra.kafka, self.topics[topic], records, self.topics.partitions)

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        return await fetch(self.dsn, query, *values)

    async def value(self, query: str, *values: Any) -> Any:
        """The one value of a query, or ``None``."""
        rows = await self.rows(query, *values)
        return rows[0][0] if rows else None

    async def fate(self, event_id: str) -> tuple[str, str | None] | None:
        """Fate and reason of an event; fails when there are two rows of it."""
        rows = await self.rows("SELECT fate, reason FROM cloudevents_raw WHERE id = $1", event_id)
        assert len(rows) < 2
        return tuple(rows[0]) if rows else None

    async def letters(self, event_id: str) -> list[asyncpg.Record]:
        """The dead letters of an event."""
        query = "SELECT * FROM deadletters WHERE id = $1 ORDER BY deadletter_id"
        return await self.rows(query, event_id)

    async def letter(self, event_id: str, holds: Callable[[Any], bool] = lambda _: True) -> asyncpg.Record:
        """The one dead letter of an event, once ``holds`` of it."""

        async def there() -> bool:
            return len(found := await self.letters(event_id)) > 0 and holds(found[0])

        await eventually(there, what=f"a dead letter of {event_id}")
        (found,) = await self.letters(event_id)
        return found

    async def settled(self) -> None:
        """Wait until everything that was sent has had its effects."""
        await self.worker.settled()

    async def told(self, path: str) -> Any:
        """The JSON answer of the query process."""
        return await self.query.get(path)


def build(infra: Infra, template: str, folder: Path) -> Plant:
    """Start everything; each on a topic set and a database that only it has."""
    topics = in_thread(topic_sets.create_topics(infra.kafka, 4))
    dsn = in_thread(databases.create_database(infra.postgres, template))
    environment = environment_of(infra.kafka, topics, dsn, folder / "state", {}) | SECRETS
    before = {"worker": BREAKABLE.format(flag=str(folder / "broken"))}
    parts = {
        name: Program(command, folder / name, environment, before=before.get(name, ""))
        for name, command in {
            "ingress": "ingress",
            "replica": "ingress",
            "worker": "worker",
            "query": "query",
        }.items()
    }
    for part in parts.values():
        part.start()

    async def ready() -> None:
        await asyncio.gather(*(part.ready() for part in parts.values()))

    plant = Plant(infra, topics, dsn, folder, **parts)
    try:
        in_thread(ready())
    except BaseException:
        demolish(plant)
        raise
    return plant


def demolish(plant: Plant) -> None:
    """Kill what runs, and remove what it kept."""
    for part in (plant.ingress, plant.replica, plant.worker, plant.query):
        part.kill()
    in_thread(topic_sets.delete_topics(plant.infra.kafka, plant.topics.prefix))
    in_thread(databases.drop_database(plant.infra.postgres, plant.dsn))


def event(event_id: str, data: Any, **attributes: str) -> tuple[bytes, dict[str, str]]:
    """A CloudEvent in binary mode: body and headers."""
    told = {"specversion": "1.0", "id": event_id, "source": "/s", "type": "com.example.unknown"} | attributes
    headers = {f"ce-{name}": value for name, value in told.items()} | {"content-type": "application/json"}
    return data if isinstance(data, bytes) else json.dumps(data).encode(), headers

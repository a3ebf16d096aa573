"""Ingress, worker and query together, as real processes on the broker and database of one test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from schemas.topics import Topics
from tests.infra.programs import Program, environment_of
from tests.infra.servers import Infra


@dataclass(frozen=True)
class Pipeline:
    """Three running processes."""

    ingress: Program
    worker: Program
    query: Program

    async def post(self, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """POST to the ingress."""
        async with httpx.AsyncClient() as client:
            return await client.post(self.ingress.url + path, headers=headers, content=body)

    async def ask(self, path: str) -> Any:
        """The query process's JSON answer."""
        return await self.query.get(path)

    async def settled(self) -> None:
        """Wait until the worker has nothing left to do, twice in a row."""
        await self.worker.settled()


@asynccontextmanager
async def running(
    infra: Infra, topics: Topics, dsn: str, folder: Path, *, worker_before: str = "", **settings: str
) -> AsyncIterator[Pipeline]:
    """Start the three processes with further ``DORA_*`` settings, and kill them afterwards.

    ``worker_before`` is Python that runs in the worker's process first.
    """
    environment = environment_of(infra.kafka, topics, dsn, folder / "state", settings)
    before = {"worker": worker_before}
    programs = [
        Program(command, folder / command, environment, before=before.get(command, ""))
        for command in ("ingress", "worker", "query")
    ]
    try:
        for program in programs:
            program.start()
        await asyncio.gather(*(program.ready() for program in programs))
        yield Pipeline(*programs)
    finally:
        for program in programs:
            if program.process is not None:
                program.kill()

"""Real workers on the broker and the database of one test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.topics import Topics
from tests.infra.production import eventually
from tests.infra.programs import Program, environment_of
from tests.infra.servers import Infra


def worker(infra: Infra, topics: Topics, dsn: str, folder: Path, **settings: str) -> Program:
    """A worker that is not started yet, with further ``DORA_*`` settings."""
    environment = environment_of(infra.kafka, topics, dsn, folder / "state", settings)
    return Program("worker", folder, environment)


@asynccontextmanager
async def running(*workers: Program) -> AsyncIterator[None]:
    """Start them, wait until all are ready, and kill them afterwards. A failure shows their logs."""
    try:
        for each in workers:
            each.start()
        await asyncio.gather(*(each.ready() for each in workers))
        yield
    except BaseException:
        for each in workers:
            print(f"--- {each.folder.name}, exit code {each.process and each.process.poll()}\n{each.log()}")
        raise
    finally:
        for each in workers:
            each.kill()


async def ended(program: Program, seconds: float = 20) -> int:
    """Wait for the process to end by itself; its exit code."""

    async def gone() -> bool:
        return not program.running

    await eventually(gone, seconds, f"the end of {program.folder.name}")
    assert program.process is not None
    return program.process.wait()

"""Real workers on the broker and the database of one test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.topics import Topics
from tests.infra.production import eventually
from tests.infra.programs import Program
from tests.infra.servers import Infra


def worker(infra: Infra, topics: Topics, dsn: str, folder: Path, **settings: str) -> Program:
    """A worker that is not started yet, with further ``DORA_*`` settings."""
    environment = {
        "DORA_KAFKA": infra.kafka,
        "DORA_POSTGRES": dsn,
        "DORA_TOPIC_PREFIX": topics.prefix,
        "DORA_PARTITIONS": str(topics.partitions),
        "DORA_STATE_DIR": str(folder / "state"),
        "DORA_WORKER_PORT": "0",
        "DORA_SESSION_TIMEOUT": "8",
    }
    settings = {f"DORA_{name.upper()}": value for name, value in settings.items()}
    return Program("worker", folder, environment | settings)


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


async def idle(program: Program) -> None:
    """Wait until the worker has nothing left to do, at two looks in a row."""

    async def nothing_left() -> bool:
        lag = (await program.get("/healthz"))["lag"]
        return bool(lag) and not any(lag.values())

    for _ in range(2):
        await asyncio.sleep(1.2)
        await eventually(nothing_left, what=f"no lag of {program.folder.name}")

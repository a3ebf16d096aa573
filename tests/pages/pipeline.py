"""The pipeline with a query process that is told where the ingress is, as `dora up` does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.topics import Topics
from tests.infra.pipelines import Pipeline
from tests.infra.programs import Program, environment_of
from tests.infra.servers import Infra


@asynccontextmanager
async def running(
    infra: Infra, topics: Topics, dsn: str, folder: Path, **settings: str
) -> AsyncIterator[Pipeline]:
    """Start ingress, worker and query with further ``DORA_*`` settings, and kill them afterwards."""
    environment = environment_of(infra.kafka, topics, dsn, folder / "state", settings)
    ingress, worker = [Program(name, folder / name, environment) for name in ("ingress", "worker")]
    programs = [ingress, worker]
    try:
        for program in programs:
            program.start()
        await ingress.ready()
        query = Program("query", folder / "query", {**environment, "DORA_INGRESS_URL": ingress.url})
        programs.append(query)
        query.start()
        await asyncio.gather(worker.ready(), query.ready())
        yield Pipeline(ingress, worker, query)
    finally:
        for program in programs:
            if program.process is not None:
                program.kill()

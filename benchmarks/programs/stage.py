"""The worker's transform stage alone: our consumer, batches, frontier and guard, without PostgreSQL.

What the stage does besides, storing the raw rows, is measured by ``sinks`` and ``end-to-end``.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust
from faust.types import EventT

from benchmarks.programs.work import GROUP, KAFKA, SINK, SOURCE, Count
from deploy.garbage import collect_seldom
from schemas.catalog import Catalog
from streams.agents import transform
from streams.ahead import Turn
from streams.app import create_app
from streams.frontier import Frontier
from streams.pipeline import Pipeline
from streams.router import Routes
from streams.settings import Settings
from streams.sinks.cloudevents import SettledEvent
from streams.sinks.database import Database
from streams.sources import find_sources


class Alone(Pipeline):
    """A pipeline that stores nothing."""

    async def store(self, stage: str, settled: Sequence[SettledEvent]) -> None:
        """Leave PostgreSQL out."""


async def no_conflicts(*_: Any) -> set[int]:
    """What PostgreSQL would be asked before."""
    return set()


def create_stage() -> Alone:
    """The application with no stage attached yet."""
    settings = Settings(
        kafka=KAFKA,
        topic_prefix=f"{GROUP}-",
        topic_names=f"cloudevents={SOURCE},cdevents={SINK}",
        state_dir=Path(os.environ["STATE"]),
    )
    return Alone(
        app=create_app(settings, 1, Frontier({SOURCE: (transform.STAGE,)})),
        settings=settings,
        generation=1,
        routes=Routes(find_sources(), None),
        catalog=Catalog.empty(),
        database=Database("postgresql://127.0.0.1:9/never-connected", 1),
    )


def main() -> None:
    """Run the stage until all expected records are done."""
    count, handle, stage = Count(), transform.handle, create_stage()

    async def counted(pipeline: Pipeline, events: Sequence[EventT], turn: Turn) -> None:
        count.begin()
        await handle(pipeline, events, turn)
        if count.add(len(events)):
            os._exit(0)

    transform.find_conflicts, transform.handle = no_conflicts, counted
    transform.attach(stage, SOURCE)
    worker = faust.Worker(
        stage.app,
        override_logging=False,
        redirect_stdouts=False,
        loglevel="WARN",
        quiet=True,
        logging_config=None,
    )
    collect_seldom()
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()

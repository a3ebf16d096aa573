"""A worker with the one stage that has much state, ``measure``: it makes a state faster than a whole worker.

Its tables and their changelogs are a worker's own, for it is told what a worker is told (``DORA_*``).
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust
from faust.types import EventT

from deploy.garbage import collect_seldom
from schemas.calendar import zone_of
from schemas.catalog import Catalog
from streams.agents import measure
from streams.app import create_app
from streams.frontier import Frontier
from streams.pipeline import Pipeline
from streams.router import Routes
from streams.settings import Settings
from streams.sinks.database import Database

COMMITTED = 3.0  # seconds after which everything that was counted is committed, which is done every second


def create_stage(settings: Settings) -> Pipeline:
    """The application of generation 1, with its stage attached."""
    frontier = Frontier({settings.topics["cdevents"]: (measure.STAGE,)})
    pipeline = Pipeline(
        app=create_app(settings, 1, frontier),
        settings=settings,
        generation=1,
        routes=Routes({}, None),
        catalog=Catalog.empty(),
        database=Database(settings.postgres.get_secret_value(), 1),
    )
    measure.attach(pipeline, zone_of("UTC"))
    return pipeline


def main() -> None:
    """Count ``EXPECTED`` CDEvents, then write ``REPORT`` and end."""
    left, handle, report = int(os.environ["EXPECTED"]), measure.handle, Path(os.environ["REPORT"])
    pipeline = create_stage(Settings())

    def end() -> None:
        report.touch()
        os._exit(0)

    async def counted(pipeline: Pipeline, windows: Any, events: Sequence[EventT]) -> None:
        nonlocal left
        await handle(pipeline, windows, events)
        left -= len(events)
        if left <= 0:
            asyncio.get_running_loop().call_later(COMMITTED, end)

    measure.handle = counted
    collect_seldom()
    faust.Worker(
        pipeline.app,
        override_logging=False,
        redirect_stdouts=False,
        loglevel="WARN",
        quiet=True,
        logging_config=None,
    ).execute_from_commandline()


if __name__ == "__main__":
    main()

"""The relinker: computes links anew where facts have come, one service and environment at a time.

Facts come in any order and to any worker, so none of them can be joined where it arrives. Whoever stores a
fact marks the places that it may matter to; relinkers take the marks, pass by what another one works on, and
compute the links there from all facts. Doing it again gives the same.
"""

import time
from typing import Any

import mode
import structlog

from streams.guard import TRANSIENT, Superseded
from streams.pipeline import Pipeline
from streams.progress import EXIT_SUPERSEDED, exit_now
from streams.sinks.links import relink

log = structlog.get_logger(__name__)

INTERVAL = 0.25  # seconds between looks for marks
AFTER_FAULT = 5.0  # seconds
RESTS_AMID_WORK = 9  # so that links are a tenth of the time, however long the history is


class Relinker(mode.Service):
    """A service of the worker."""

    def __init__(self, pipeline: Pipeline, **options: Any) -> None:
        super().__init__(**options)
        self.pipeline = pipeline

    @mode.Service.task
    async def _work(self) -> None:
        while not self.should_stop:
            pause = INTERVAL
            try:
                await self.drain()
            except Superseded:
                exit_now(EXIT_SUPERSEDED, "worker.superseded", stage="relink")
            except TRANSIENT as error:
                log.warning("relink.waiting", error=type(error).__name__)
                pause = AFTER_FAULT
            except Exception as error:  # noqa: BLE001 - events are recorded and counted all the same
                tell(error)
                pause = AFTER_FAULT
            await self.sleep(pause)

    async def drain(self) -> None:
        """Work until nothing is marked that another relinker does not have."""
        while not self.should_stop:
            started = time.monotonic()
            if await relink(self.pipeline.database, self.pipeline.catalog) is None:
                return
            took = time.monotonic() - started
            self.pipeline.telemetry.batches.labels("relink").observe(took)
            await self.sleep(took * self._rests)

    @property
    def _rests(self) -> int:
        """How long the process is left to the stages, in times of the work done.

        Links are computed from all that a place knows: while events wait their cost would grow with history.
        """
        return RESTS_AMID_WORK if self.pipeline.app.progress.busy else 1


def tell(error: Exception) -> None:
    """Log a fault that is ours: the mark stays, and the numbers of its service do not follow."""
    log.error("relink.failed", error=type(error).__name__, exc_info=error)

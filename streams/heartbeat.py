"""The heartbeat: once a second, from inside the event loop, how far the worker is behind.

It beats ``loop`` because it runs at all, and ``lag`` when there is nothing to do, when something was done
since the last look, when a stage is at work (which has a limit of its own), or when the worker knows what it
waits for.
"""

from collections.abc import Iterable
from typing import Any

import asyncpg
import mode
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from streams.memory import give_back
from streams.pipeline import Pipeline
from streams.progress import EXIT_STUCK, EXIT_SUPERSEDED, exit_now

INTERVAL = 1.0  # seconds
UNKNOWN = -1
GENERATION_INTERVAL = 5.0  # seconds
# Looks in a row at which a topic ends before what was read of it. One may be a broker that is just back.
SHORTER_LOOKS = 5
# Looks in a row at a recovery that waits for records of a changelog and gets none. Faust would wait for ever:
# seen, though seldom, at a worker that had been frozen. A start reads the changelogs anew.
SILENT_LOOKS = 20


class Heartbeat(mode.Service):
    """A service of the worker. ``lag``: records not yet finished, by topic; empty while unknown."""

    def __init__(self, pipeline: Pipeline, **options: Any) -> None:
        super().__init__(**options)
        self.pipeline = pipeline
        self.lag: dict[str, int] = {}
        self._finished = -1
        self._shorter = 0
        self._silent, self._recovery = 0, (0, 0.0)
        self._worked = False

    @mode.Service.task
    async def _beat(self) -> None:
        async for _ in self.itertimer(INTERVAL, name="heartbeat"):
            self.beat()

    @mode.Service.task
    async def _check_generation(self) -> None:
        """Notice without traffic, too, that another generation has become active."""
        async for _ in self.itertimer(GENERATION_INTERVAL, name="generation"):
            try:
                rows = await self.pipeline.database.fetch(
                    "SELECT state FROM generations WHERE generation = $1", self.pipeline.generation
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                continue
            if not rows or rows[0]["state"] not in {"active", "building"}:
                exit_now(EXIT_SUPERSEDED, "worker.superseded", generation=self.pipeline.generation)

    def beat(self) -> None:
        """Measure the lag and give the signs of life that follow from it."""
        app = self.pipeline.app
        progress = app.progress
        progress.beat("loop")
        self._watch_recovery(app.tables.recovery)
        self.lag, finished = self._measure()
        moved = finished != self._finished
        self._finished = finished
        idle = finished >= 0 and not sum(self.lag.values())
        if moved:
            self._worked = True
        elif idle and self._worked:
            self._worked = False
            give_back()
        if moved or idle or progress.busy or progress.waiting_for or app.rebalancing:
            progress.beat("lag")
        for topic, records in self.lag.items():
            self.pipeline.telemetry.lag.labels(topic).set(records)
        for stage in app.frontier.stages:
            self.pipeline.telemetry.waiting.labels(stage).set(float(stage in progress.waiting_for))

    def _measure(self) -> tuple[dict[str, int], int]:
        lag: dict[str, int] = {}
        finished = 0
        shorter = []
        app = self.pipeline.app
        consumer = app.consumer
        for tp in self._assignment():
            if tp.topic not in app.frontier.topics:
                continue
            end = consumer.highwater(tp)
            if end is None:
                # Not fetched from yet: a partial sum would look like being done. What moves meanwhile, if
                # anything does, is the recovery of the tables.
                return {}, UNKNOWN - self._recovered()
            done = app.frontier.committable(tp) or consumer._committed_offset.get(tp)
            finished += done or 0
            lag[tp.topic] = lag.get(tp.topic, 0) + max(0, end - (done or 0))
            if end < (done or 0):
                shorter.append(tp.topic)
        self._shorter = self._shorter + 1 if shorter else 0
        if self._shorter > SHORTER_LOOKS:
            # Made anew under our eyes: offsets of its new records are taken for done. A start reads them.
            exit_now(EXIT_STUCK, "worker.topic_made_anew", topics=sorted(set(shorter)))
        return lag, finished

    def _assignment(self) -> Iterable[TP]:
        try:
            assigned: Iterable[TP] = self.pipeline.app.consumer.assignment()
        except ConsumerNotStarted:  # the broker is away while the worker starts
            return ()
        return assigned

    def _watch_recovery(self, recovery: Any) -> None:
        before = self._recovery
        self._recovery = self._recovered(), max(recovery._active_events_received_at.values(), default=0.0)
        waits = recovery.in_recovery and recovery.need_recovery() and self._recovery == before
        self._silent = self._silent + 1 if waits else 0
        if self._silent > SILENT_LOOKS:
            exit_now(EXIT_STUCK, "worker.recovery_stuck", seconds=self._silent * INTERVAL)

    def _recovered(self) -> int:
        return sum(
            max(0, offset or 0) for offset in self.pipeline.app.tables.recovery.active_offsets.values()
        )

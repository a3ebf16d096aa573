"""What the stages are doing right now, for the watchdog, the health endpoints and rebalances.

A stage beats when it begins a batch, when it ends one, and each time it tries again while something that it
needs is away: waiting for PostgreSQL is progress of a kind, being stuck is not.
"""

import asyncio
import os
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Seconds that a rebalance waits for batches in hand; under the session time-out, or the group expels us.
IDLE_DEADLINE = 20.0
EXIT_STUCK = 70  # sysexits.h EX_SOFTWARE: the supervisor starts the process again
EXIT_SUPERSEDED = 75  # another generation is active now; start again to join it


class Abandoned(Exception):
    """The partitions are given up while the stage only waits; the batch is done again by their next owner."""


@dataclass(slots=True)
class Activity:
    """One stage: how many batches it holds, and when it last gave a sign of life (monotonic seconds)."""

    batches: int = 0
    beat_at: float = field(default_factory=time.monotonic)

    @property
    def busy(self) -> bool:
        """Whether it holds a batch."""
        return self.batches > 0


class Progress:
    """The activities by name. ``waiting_for`` names what a stage is waiting for, for people to read.

    ``leaving`` is set while partitions are being given up: a stage that only waits abandons its batch then.
    """

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self.activities: dict[str, Activity] = {}
        self.waiting_for: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def beat(self, name: str) -> None:
        """``name`` gives a sign of life."""
        self.activities.setdefault(name, Activity()).beat_at = time.monotonic()

    def begin(self, stage: str) -> None:
        """``stage`` takes up a batch."""
        activity = self.activities.setdefault(stage, Activity())
        activity.batches += 1
        activity.beat_at = time.monotonic()
        self._idle.clear()

    def end(self, stage: str) -> None:
        """``stage`` has finished a batch."""
        activity = self.activities[stage]
        activity.batches -= 1
        activity.beat_at = time.monotonic()
        self.waiting_for.pop(stage, None)
        if not any(other.busy for other in self.activities.values()):
            self._idle.set()

    @property
    def busy(self) -> bool:
        """Whether any stage holds a batch."""
        return not self._idle.is_set()

    def stuck(self, limit: float) -> list[str]:
        """The busy stages without a sign of life for ``limit`` seconds."""
        now = time.monotonic()
        return [
            name
            for name, activity in self.activities.items()
            if activity.busy and now - activity.beat_at > limit
        ]

    def silent(self, name: str, limit: float) -> float | None:
        """Seconds since ``name`` last beat, when that is more than ``limit`` and it has ever beaten."""
        activity = self.activities.get(name)
        if activity is None:
            return None
        seconds = time.monotonic() - activity.beat_at
        return seconds if seconds > limit else None

    async def unless_leaving(self, work: Awaitable[T]) -> T:
        """What ``work`` comes to, which has no effect before its end. Cancels it and raises ``Abandoned``."""
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self.leaving.wait())
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Abandoned
            return working.result()
        finally:
            working.cancel()
            leaving.cancel()

    async def wait_until_idle(self) -> None:
        """Wait until no stage holds a batch; end the process when that takes too long."""
        self.leaving.set()
        try:
            await asyncio.wait_for(self._idle.wait(), IDLE_DEADLINE)
        except TimeoutError:
            busy = [name for name, activity in self.activities.items() if activity.busy]
            exit_now(EXIT_STUCK, "worker.batch_outlived_its_partitions", stages=busy)
        finally:
            self.leaving.clear()


def exit_now(code: int, event: str, **fields: object) -> None:
    """End the process at once, acknowledging nothing. What was in hand is done again after the restart."""
    log.error(event, exit_code=code, **fields)
    os._exit(code)

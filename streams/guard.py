"""The guard around every stage: done, dead-letter-then-acknowledge, or end the process without acknowledging.

Faust acknowledges an event whose agent raised, so nothing may be raised out of a stage. What happens instead:

* PostgreSQL is away, asks to try again, or its schema is not ours yet: the stage waits and tries again, for
  as long as it takes.
* Kafka did not confirm a send: the process ends; the batch is done again after the restart.
* The partitions are given up while the stage waits: the batch is abandoned; their next owner does it again.
* Another generation is active: the process ends with its own exit code.
* Anything else is blamed on a record: the batch is halved until the record is found, which becomes a dead
  letter. When too many in a row become dead letters, it is the stage that is broken: the process ends.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import aiokafka.errors
import asyncpg
import structlog

from streams.progress import EXIT_STUCK, EXIT_SUPERSEDED, Abandoned, Progress, exit_now

log = structlog.get_logger(__name__)

Effect = Callable[[Sequence[Any]], Awaitable[None]]
Bury = Callable[[Any, str, str], Awaitable[None]]

# Dead letters of one stage in a row after which the fault is taken to be ours and not the events'.
MOST_IN_A_ROW = 100
LONGEST_PAUSE = 5.0  # seconds between attempts to reach PostgreSQL

TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.SyntaxOrAccessError,  # our statements are fixed: a migration or a grant is still to come
    asyncpg.InvalidCatalogNameError,
)


# The fault of the event: the broker took everything else.
TOO_LARGE = (
    aiokafka.errors.MessageSizeTooLargeError,
    aiokafka.errors.RecordListTooLargeError,
    aiokafka.errors.RecordTooLargeError,
)


def is_transient(error: Exception) -> bool:
    """Whether PostgreSQL may take the same later: it is away, or not ready for us yet."""
    # asyncpg refuses a value, before it is sent, with an InterfaceError that is a ValueError too.
    return isinstance(error, TRANSIENT) and not isinstance(error, ValueError)


class Superseded(Exception):
    """A newer generation is active; this process must not write any more."""


class Unconfirmed(Exception):
    """Kafka did not confirm a record within the deadline."""


class Guard:
    """Runs effects for one process. ``bury`` publishes one event as a dead letter, confirmed."""

    def __init__(self, progress: Progress, bury: Bury) -> None:
        self.progress = progress
        self._bury = bury
        self._in_a_row: Counter[str] = Counter()

    async def run(self, stage: str, events: Sequence[Any], effect: Effect) -> None:
        """Return when ``effect`` is done for every event, or the event is a dead letter.

        Raises ``Abandoned``, and nothing else; then the batch must not be acknowledged.
        """
        try:
            await self._settle(stage, events, effect)
        except Abandoned:
            raise
        except Superseded:
            exit_now(EXIT_SUPERSEDED, "worker.superseded", stage=stage)
        except Exception as error:  # noqa: BLE001 - the rule of this module: nothing may leave a stage
            exit_now(EXIT_STUCK, "worker.send_unconfirmed", stage=stage, error=type(error).__name__)

    async def _settle(self, stage: str, events: Sequence[Any], effect: Effect) -> None:
        try:
            await self._until_reachable(stage, events, effect)
        except TOO_LARGE as error:
            await self._find_culprit(stage, events, effect, error)
        except (Abandoned, Superseded, Unconfirmed, aiokafka.errors.KafkaError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it came from handling these events
            await self._find_culprit(stage, events, effect, error)
        else:
            self._in_a_row[stage] = 0

    async def _until_reachable(self, stage: str, events: Sequence[Any], effect: Effect) -> None:
        pause = 0.1
        while True:
            try:
                await effect(events)
            except TRANSIENT as error:
                if not is_transient(error):
                    raise
                self.progress.waiting_for[stage] = f"PostgreSQL ({type(error).__name__})"
                log.warning("stage.waiting", stage=stage, error=type(error).__name__, pause_seconds=pause)
                await self._pause(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 2, LONGEST_PAUSE)
                self.progress.beat(stage)
            else:
                self.progress.waiting_for.pop(stage, None)
                return

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.progress.leaving.wait(), seconds)
            raise Abandoned

    async def _find_culprit(
        self, stage: str, events: Sequence[Any], effect: Effect, error: Exception
    ) -> None:
        if len(events) > 1:
            middle = len(events) // 2
            await self._settle(stage, events[:middle], effect)
            await self._settle(stage, events[middle:], effect)
            return
        self._in_a_row[stage] += 1
        log.error("stage.dead_letter", stage=stage, error=type(error).__name__, exc_info=error)
        if self._in_a_row[stage] > MOST_IN_A_ROW:
            exit_now(EXIT_STUCK, "worker.too_many_dead_letters", stage=stage, in_a_row=self._in_a_row[stage])
        reason = f"{type(error).__name__} in stage {stage}"
        await self._until_reachable(stage, events, lambda culprit: self._bury(culprit[0], stage, reason))

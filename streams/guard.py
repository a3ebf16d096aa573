"""The guard around every stage: done, dead-letter-then-acknowledge, or end the process without acknowledging.

Faust acknowledges an event whose agent raised, so nothing may be raised out of a stage. What happens instead:

* PostgreSQL is away, asks to try again, or its schema is not ours yet: the stage waits and tries again, for
  as long as it takes.
* Kafka did not confirm a send: the process ends; the batch is done again after the restart.
* The partitions are given up while the stage waits: the batch is abandoned; their next owner does it again.
* Another generation is active: the process ends with its own exit code.
* Anything else is blamed on a record: the batch is halved until the record is found. It becomes a dead letter
  once the rest of the batch is done.
* When too many of a stage's last records are to blame, it is the stage that is broken, as after a bad deploy:
  the process ends before any of this batch becomes a dead letter. Only what our code raised is counted. What
  a store or the broker refuses for its value or its size is the sender's doing, who must not be able to stop
  a worker with it; nor with what is no CloudEvent, which raises nothing.
"""

import asyncio
import random
import traceback
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import aiokafka.errors
import asyncpg
import structlog

from streams.progress import EXIT_STUCK, EXIT_SUPERSEDED, Abandoned, Progress, exit_now

log = structlog.get_logger(__name__)

Effect = Callable[[Sequence[Any]], Awaitable[None]]
Bury = Callable[[Any, str, str], Awaitable[None]]

LONGEST_PAUSE = 5.0  # seconds between attempts to reach PostgreSQL
DEEPEST_FRAMES = 8  # of a traceback, the last ones

TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server ended the session while the client was in between
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.SyntaxOrAccessError,  # our statements are fixed: a migration or a grant is still to come
    asyncpg.InvalidCatalogNameError,
)


# The fault of the event: the broker took everything else.
TOO_LARGE = (
    aiokafka.errors.MessageSizeTooLargeError,
    aiokafka.errors.RecordListTooLargeError,
    aiokafka.errors.RecordTooLargeError,
)


# The fault of the event, too: nobody can store its values.
REFUSED = (
    *TOO_LARGE,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
)


class Limit(NamedTuple):
    """At most so many dead letters by a fault of ours, or so large a share of a stage's last records."""

    most: int = 100
    share: float = 0.5

    @property
    def window(self) -> int:
        """How many of the last records are looked at."""
        return max(self.most + 1, round(self.most / self.share))


class Culprit(NamedTuple):
    """A record that broke its stage, and how."""

    event: Any
    error: Exception


def is_transient(error: Exception) -> bool:
    """Whether PostgreSQL may take the same later: it is away, or not ready for us yet."""
    # asyncpg refuses a value, before it is sent, with an InterfaceError that is a ValueError too.
    return isinstance(error, TRANSIENT) and not isinstance(error, ValueError)


def is_refusal(error: Exception) -> bool:
    """Whether it is the event's values that cannot be stored or sent, which only their sender can change."""
    # As above: asyncpg's own refusal.
    return isinstance(error, REFUSED) or (
        isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    )


def told(error: Exception) -> dict[str, Any]:
    """What a log may have of an error that a record caused: its kind, and where in the code it came up.

    Not its text, which repeats what stood in the record: PostgreSQL quotes the whole row.
    """
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


class Superseded(Exception):
    """A newer generation is active; this process must not write any more."""


class Unconfirmed(Exception):
    """Kafka did not confirm a record within the deadline."""


class Guard:
    """Runs effects for one process. ``bury`` publishes one event as a dead letter, confirmed."""

    def __init__(self, progress: Progress, bury: Bury, limit: Limit | None = None) -> None:
        self.progress = progress
        self._bury = bury
        self._limit = limit or Limit()
        # Of each stage's last records, whether they broke it by a fault of ours.
        self._broken: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=self._limit.window))

    async def run(self, stage: str, events: Sequence[Any], effect: Effect) -> None:
        """Return when ``effect`` is done for every event, or the event is a dead letter.

        Raises ``Abandoned``, and nothing else; then the batch must not be acknowledged.
        """
        culprits: list[Culprit] = []
        try:
            await self._settle(stage, events, effect, culprits)
            for event, error in culprits:
                log.error("stage.dead_letter", stage=stage, **told(error))
                reason = f"{type(error).__name__} in stage {stage}"
                await self._until_reachable(stage, [event], partial(self._bury_one, stage, reason))
        except Abandoned:
            raise
        except Superseded:
            exit_now(EXIT_SUPERSEDED, "worker.superseded", stage=stage)
        except Exception as error:  # noqa: BLE001 - the rule of this module: nothing may leave a stage
            exit_now(EXIT_STUCK, "worker.send_unconfirmed", stage=stage, error=type(error).__name__)

    async def _settle(
        self, stage: str, events: Sequence[Any], effect: Effect, culprits: list[Culprit]
    ) -> None:
        error = await self._try(stage, events, effect)
        if error is None:
            self._broken[stage].extend([False] * min(len(events), self._limit.window))
        elif len(events) > 1:
            middle = len(events) // 2
            await self._settle(stage, events[:middle], effect, culprits)
            await self._settle(stage, events[middle:], effect, culprits)
        else:
            culprits.append(Culprit(events[0], error))
            self._count(stage, error)

    async def _try(self, stage: str, events: Sequence[Any], effect: Effect) -> Exception | None:
        """What handling ``events`` raised, if one of them is to blame for it; else it is raised."""
        try:
            await self._until_reachable(stage, events, effect)
        except (Abandoned, Superseded, Unconfirmed):
            raise
        except Exception as error:
            if isinstance(error, aiokafka.errors.KafkaError) and not isinstance(error, TOO_LARGE):
                raise
            return error
        return None

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

    async def _bury_one(self, stage: str, reason: str, events: Sequence[Any]) -> None:
        await self._bury(events[0], stage, reason)

    def _count(self, stage: str, error: Exception) -> None:
        broken = self._broken[stage]
        broken.append(not is_refusal(error))
        if sum(broken) > self._limit.most:
            log.error("stage.broken", stage=stage, **told(error))
            exit_now(
                EXIT_STUCK,
                "worker.too_many_dead_letters",
                stage=stage,
                dead_letters=sum(broken),
                of_the_last=len(broken),
                error=type(error).__name__,
                advice="what was deployed last breaks this stage: correct it and start again, nothing is"
                " lost; or raise DORA_DEADLETTER_LIMIT to let these records become dead letters",
            )

"""The sample events, played from the page of an empty database: in the background, once at a time."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

log = structlog.get_logger("query")

# Sends them to an ingress up to an instant, tells how many were acknowledged, and returns when all are.
Player = Callable[[str, datetime, Callable[[int], None]], int]


class Samples:
    """The state of the playing. ``play`` runs in a thread of its own.

    Without ``play`` or without ``ingress`` nothing can be played here.
    """

    def __init__(self, play: Player | None, ingress: str | None) -> None:
        self._play, self._ingress = play, ingress
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        self.failure: str | None = None

    @property
    def can_be_played(self) -> bool:
        """Whether there is something to play, and somewhere to play it to."""
        return self._play is not None and self._ingress is not None

    @property
    def is_playing(self) -> bool:
        """Whether they are being played."""
        return self._task is not None and not self._task.done()

    def start(self, until: datetime) -> None:
        """Begin, unless it has begun."""
        if self.can_be_played and not self.is_playing:
            self.sent, self.failure = 0, None
            self._task = asyncio.create_task(self._run(until))

    async def stop(self) -> None:
        """Wait for the end of what is under way; what was sent is sent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, until: datetime) -> None:
        if self._play is None or self._ingress is None:
            return
        try:
            await asyncio.to_thread(self._play, self._ingress, until, self._advance)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever pressed the button is to read it
            log.warning("samples.failed", error=type(error).__name__, reason=str(error))
            self.failure = str(error) or type(error).__name__

    def _advance(self, number: int) -> None:
        self.sent += number

"""Those who follow the stream, each with a queue that has an end: who reads too slowly is let go."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Literal

from query.positions import Position
from query.recordings import Recording, Wish

MOST_WAITING = 5_000  # messages, some MB: ten seconds of 500 a second

Ending = Literal["slow", "closing"]


class Listener:
    """What one connection still has to be told. ``position`` is the last that it was told, or passed over."""

    def __init__(self, wish: Wish, position: Position) -> None:
        self.wish = wish
        self.position = position
        self.ending: Ending | None = None
        self._waiting: deque[Recording] = deque()
        self._notices: deque[bytes] = deque()
        self._woken = asyncio.Event()

    def tell(self, told: Sequence[Recording]) -> None:
        """Have it hear of what it wants of ``told``."""
        if self.ending is not None:
            return
        self._waiting.extend(told)
        if len(self._waiting) > MOST_WAITING:
            self.end("slow")
        self._woken.set()

    def notify(self, notice: bytes) -> None:
        """Have it hear of something that is no event."""
        if self.ending is None:
            self._notices.append(notice)
            self._woken.set()

    def end(self, ending: Ending) -> None:
        """Nothing more is kept for it; by its position it asks for the rest when it comes back."""
        self.ending = ending
        self._waiting.clear()
        self._woken.set()

    async def next(self, seconds: float) -> bytes:
        """What there is to send; empty when there is nothing within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return b""
        self._woken.clear()
        notices, told = b"".join(self._notices), self.heard(self._waiting)
        self._notices.clear()
        self._waiting.clear()
        return notices + told

    def heard(self, told: Sequence[Recording]) -> bytes:
        """The messages of those of ``told`` that it wants and has not passed yet."""
        found = []
        for each in told:
            if each.position.place > self.position.place:
                self.position = each.position
                if self.wish.fits(each):
                    found.append(each.message)
        return b"".join(found)

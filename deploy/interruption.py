"""Ctrl-C, SIGTERM and SIGHUP as one exception in the main thread, and a second one as a call for haste."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The user wants it to end. asyncio takes what is of no such kind for a fault of a connection."""


@contextmanager
def interruptible(hurry: Callable[[], None]) -> Iterator[None]:
    """Raise `Interrupted` at the first signal, call ``hurry`` at every later one."""
    first = True

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if first:
            first = False
            raise Interrupted
        hurry()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

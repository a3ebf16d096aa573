"""Log lines that whoever sends requests can cause, at a bounded rate: a flood must not fill a disk."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog

INTERVAL = 1.0  # seconds between two lines that say the same


class SparseLog:
    """Logs what is said again once in ``INTERVAL`` seconds, with how many ``times`` it was said since.

    Names and fields of lines have to be bounded, as labels of metrics are; metrics count each time.
    """

    def __init__(self, log: Any = None, clock: Callable[[], float] = monotonic) -> None:
        self._log = log or structlog.get_logger("ingress")
        self._clock = clock
        self._said: dict[tuple[object, ...], tuple[float, int]] = {}

    def info(self, event: str, **fields: str) -> None:
        """Say it, unless it was said just now."""
        self._say(self._log.info, event, fields)

    def warning(self, event: str, **fields: str) -> None:
        """The same for what somebody has to repair."""
        self._say(self._log.warning, event, fields)

    def _say(self, say: Callable[..., object], event: str, fields: dict[str, str]) -> None:
        what, now = (event, *sorted(fields.items())), self._clock()
        said, unsaid = self._said.get(what, (-INTERVAL, 0))
        if now - said < INTERVAL:
            self._said[what] = (said, unsaid + 1)
            return
        self._said[what] = (now, 0)
        say(event, **fields, **({"times": unsaid + 1} if unsaid else {}))

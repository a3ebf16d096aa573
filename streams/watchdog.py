"""The watchdog: a thread that ends the process when it lives without getting anywhere.

Faust keeps a process alive whose agent died, and a stop that waits for a broker waits for ever. The thread
does not depend on the event loop that it watches.
"""

import threading
import time
from collections.abc import Callable

from streams.progress import EXIT_STUCK, Progress, exit_now

STOP_DEADLINE = 8.0  # seconds from the request to stop to the end of the process
INTERVAL = 1.0  # seconds between looks


class Watchdog(threading.Thread):
    """``is_stopping`` tells when a stop was asked for; ``stuck_after`` is the patience in seconds."""

    def __init__(self, progress: Progress, *, stuck_after: float, is_stopping: Callable[[], bool]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._progress = progress
        self._stuck_after = stuck_after
        self._is_stopping = is_stopping
        self._stop_seen: float | None = None

    def run(self) -> None:
        """Look until the process ends."""
        while True:
            time.sleep(INTERVAL)
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        if self._is_stopping():
            self._stop_seen = self._stop_seen or now
            if now - self._stop_seen > STOP_DEADLINE:
                exit_now(EXIT_STUCK, "worker.stop_took_too_long")
            return
        if stuck := self._progress.stuck(self._stuck_after):
            exit_now(EXIT_STUCK, "worker.stuck", stages=stuck)
        if silent := self._progress.silent("loop", self._stuck_after):
            exit_now(EXIT_STUCK, "worker.event_loop_blocked", seconds=silent)
        if silent := self._progress.silent("lag", self._stuck_after):
            exit_now(EXIT_STUCK, "worker.lag_without_progress", seconds=silent)

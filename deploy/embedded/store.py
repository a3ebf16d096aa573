"""What the embedded broker and database have in common: how they start, stop and keep their port."""

from abc import ABC, abstractmethod

from deploy.embedded.ports import HOST, is_free
from deploy.embedded.process import PartError, Process

PORT_ATTEMPTS = 3


class Store(ABC):
    """A server that may be killed at any time. ``port`` 0 picks a free one, which it keeps over restarts."""

    grace: float  # seconds that a clean stop may take
    process: Process

    def __init__(self, port: int) -> None:
        self.port = port
        self._settled = port != 0

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.port}"

    @abstractmethod
    def launch(self) -> None:
        """Start it without waiting; the first time, prepare its folder."""

    @abstractmethod
    def wait_ready(self) -> None:
        """Return when it answers its clients; raise `PartError` when it does not."""

    def start(self) -> None:
        """Start it and wait until it answers; raise `PartError` when it does not."""
        self.launch()
        self.complete()

    def complete(self) -> None:
        """Wait until what `launch` began answers; try another port if somebody was faster on a free one."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            try:
                self.wait_ready()
            except PartError:
                self.kill()
                if self._settled or attempt == PORT_ATTEMPTS or is_free(self.port):
                    raise
                self.port = 0
                self.launch()
            else:
                self._settled = True
                return

    def stop(self, grace: float | None = None) -> None:
        """End it cleanly, or with SIGKILL after ``grace`` seconds."""
        self.process.stop(self.grace if grace is None else grace)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()

    def restart(self) -> None:
        """Start it again on the same port after `stop` or `kill`."""
        self.start()

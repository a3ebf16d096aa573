"""The process: it tells where it listens; on SIGTERM it drops readiness, then finishes what it began."""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from ingress.settings import Settings
from ingress.wire import GuardedProtocol

log = structlog.get_logger("ingress")

GRACE = 10  # seconds for requests that have begun; longer than any of them waits for Kafka
KEEP_ALIVE = 75  # seconds; above the 60 after which load balancers close, so that they close first
BACKLOG = 2048
SPARE_FILES = 100  # beside those of clients: the broker's connections, the log, the event loop's own


class CannotListen(OSError):
    """The address cannot be bound; the message says what to do."""


def run(app: FastAPI, settings: Settings) -> None:
    """Serve ``app`` until SIGTERM or SIGINT. Raises ``CannotListen``."""
    listener = bind(settings)
    allow_files(settings.connection_limit + SPARE_FILES)
    Server(app, settings).run(sockets=[listener])
    log.info("ingress.stopped")


def bind(settings: Settings) -> socket.socket:
    """A socket bound to the address in ``settings``, not listening yet."""
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # A name such as localhost has several addresses; clients that are told 127.0.0.1 must find us.
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise CannotListen(
            f"cannot listen on {where} ({error.strerror}): set another DORA_PORT, or 0"
        ) from None
    return listener


def allow_files(number: int) -> None:
    """Let the process open ``number`` files, as far as it may; a refused ``accept`` would hang its client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < number:
        log.warning("ingress.few_files", allowed=allowed, wanted=number)


def write_port(path: Path, port: int) -> None:
    """Write the port so that a reader sees all of it or nothing."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(f"{port}\n")
    partial.replace(path)


class Server(uvicorn.Server):
    """uvicorn's server, which says where it listens and ends with exit code 0 when it is told to end."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            loop="uvloop",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            backlog=BACKLOG,
        )
        super().__init__(config)
        app.state.connection_limit = settings.connection_limit
        self._app = app
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell the port."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        port = (sockets or [])[0].getsockname()[1]
        if self._settings.port_file is not None:
            write_port(self._settings.port_file, port)
        log.info("ingress.listening", host=self._settings.host, port=port, kafka=self._settings.kafka)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that end the process. uvicorn would raise them again: exit code -15."""
        signals = (signal.SIGINT, signal.SIGTERM)
        earlier = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Drop readiness, go on for ``drain`` seconds for those who have not seen it, then close."""
        if self._loop is None:
            self.should_exit = True  # nobody can have seen readiness yet
        else:
            self._loop.call_soon_threadsafe(self._begin_exit, self._loop)

    def _begin_exit(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._app.state.draining:
            self.should_exit = True  # a second signal: somebody is in a hurry
            return
        self._app.state.draining = True
        log.info("ingress.draining", seconds=self._settings.drain)
        loop.call_later(self._settings.drain, setattr, self, "should_exit", True)  # noqa: FBT003

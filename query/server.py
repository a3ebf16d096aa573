"""The HTTP server: uvicorn, which says where it listens and ends with success when it is asked to end."""

import gc
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from query.settings import Settings

log = structlog.get_logger("query")

GRACE = 10  # seconds for answers that are under way; a statement may take five
BACKLOG = 2048  # connections that may wait to be accepted


class Server(uvicorn.Server):
    """A server that writes its port to a file, so that whoever asked for a free one learns which."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._port_file = port_file
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then tell where."""
        await super().startup(sockets)
        if not self.started:
            return
        # What was made until now stays: while Python looked through it, an answer in a hundred waited 70 ms.
        gc.collect()
        gc.freeze()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        log.info("query.listening", host=host, port=port)
        if self._port_file is not None:
            # Written beside and renamed: whoever waits for the file never reads half of a number.
            beside = self._port_file.with_name(f"{self._port_file.name}.{os.getpid()}")
            beside.write_text(f"{port}\n", encoding="ascii")
            beside.replace(self._port_file)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Finish on the first signal, stop at once on the second. uvicorn's own would end by the signal."""
        self._ending()  # answers without an end would be waited for until the grace is over
        self.force_exit = self.should_exit
        self.should_exit = True


def run(app: FastAPI, settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C. Raises ``OSError`` when the port cannot be had."""
    # Bound here and not by uvicorn, which ends the process itself when the port is taken.
    with listening(settings.host, settings.port) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            lifespan="on",
        )
        Server(config, settings.port_file, app.state.follower.close_soon).run([listener])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ``OSError`` that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {host}:{port} ({reason}); choose another with DORA_PORT") from error

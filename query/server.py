"""The HTTP server: uvicorn, which says where it listens and ends with success when it is asked to end."""

import os
import socket
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from query.settings import Settings

log = structlog.get_logger("query")

GRACE = 10  # seconds for answers that are under way; a statement may take five


class Server(uvicorn.Server):
    """A server that writes its port to a file, so that whoever asked for a free one learns which."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then tell where."""
        await super().startup(sockets)
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        log.info("listening", host=host, port=port)
        if self._port_file is not None:
            # Written beside and renamed: whoever waits for the file never reads half of a number.
            beside = self._port_file.with_name(f"{self._port_file.name}.{os.getpid()}")
            beside.write_text(f"{port}\n", encoding="ascii")
            beside.replace(self._port_file)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Finish on the first signal, stop at once on the second. uvicorn's own would end by the signal."""
        self.force_exit = self.should_exit
        self.should_exit = True


def server_of(app: FastAPI, settings: Settings) -> Server:
    """The server for ``app``, not yet running."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="on",
    )
    return Server(config, settings.port_file)

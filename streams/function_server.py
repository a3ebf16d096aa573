"""The HTTP server of `dora function`: its settings, and uvicorn, which says where it listens."""

import os
import socket
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.catalog import Catalog
from streams.function import create_function

log = structlog.get_logger(__name__)

GRACE = 5  # seconds for answers that are under way; they take milliseconds


class FunctionSettings(BaseSettings):
    """Settings of one function process. Frozen; wrong values are refused at start, without being repeated."""

    model_config = SettingsConfigDict(
        env_prefix="DORA_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, extra="ignore"
    )

    catalog: Path | None = Field(None, description="YAML file: services, teams, environments")
    host: str = Field("127.0.0.1", description="The address to listen on")
    port: int = Field(
        8080,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("DORA_PORT", "PORT"),
        description="The port to listen on, 0 for a free one; Knative says it in PORT",
    )
    port_file: Path | None = Field(None, description="The bound port is written here once it listens")


class Server(uvicorn.Server):
    """A server that writes its port to a file, and ends with success when it is asked to end."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then tell where."""
        await super().startup(sockets)
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        log.info("function.listening", host=host, port=port)
        if self._port_file is not None:
            partial = self._port_file.with_name(f"{self._port_file.name}.{os.getpid()}")
            partial.write_text(f"{port}\n", encoding="ascii")
            partial.replace(self._port_file)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Finish on the first signal, stop at once on the second."""
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(name: str, settings: FunctionSettings) -> None:
    """Answer until SIGTERM or Ctrl-C. Raises ``UnknownFunction``, ``CatalogError`` or ``OSError``."""
    app = create_function(name, read_catalog(settings.catalog))
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise OSError(
            f"cannot listen on {where} ({error.strerror}); choose another with DORA_PORT"
        ) from error
    with listener:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE
        )
        Server(config, settings.port_file).run([listener])


def read_catalog(path: Path | None) -> Catalog:
    """The catalog in the file; an empty one without a file."""
    return Catalog.empty() if path is None else Catalog.load(path)

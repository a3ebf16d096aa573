"""The query process as ``dora query`` runs it: configured by its environment, on a port of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.infra.production import eventually

PROGRAM = "from query.app import serve; from query.settings import Settings; serve(Settings())"


def environment(**variables: str) -> dict[str, str]:
    """The environment of this process without its own settings, and with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DORA_")}
    return inherited | variables


class Running:
    """A process that listens."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self.process.wait, 20)


def start(settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen([sys.executable, "-c", PROGRAM], env=settings, stdout=output, stderr=output)


@asynccontextmanager
async def running(folder: Path, **variables: str) -> AsyncIterator[Running]:
    """A process that listens on a free port; killed at the end if it still runs."""
    port_file, log = folder / "port", folder / "log"
    settings = environment(DORA_PORT="0", DORA_PORT_FILE=str(port_file), **variables)
    process = start(settings, log)
    try:

        async def listens() -> bool:
            assert process.poll() is None, log.read_text()
            return port_file.exists()

        await eventually(listens, 30, "the query process listens")
        yield Running(process, int(port_file.read_text()), log)
    finally:
        process.kill()
        process.wait()

"""Real processes for tests: an ingress, a worker or a query started with the settings of one test."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from schemas.topics import Topics
from tests.infra.production import eventually

ROOT = Path(__file__).parents[2]
READY_TIMEOUT = 60


def environment_of(
    kafka: str, topics: Topics, dsn: str, state: Path, settings: Mapping[str, str]
) -> dict[str, str]:
    """The variables of any process of one test; ``settings`` are further ones, without their ``DORA_``."""
    return {
        "DORA_KAFKA": kafka,
        "DORA_POSTGRES": dsn,
        "DORA_TOPIC_PREFIX": topics.prefix,
        "DORA_PARTITIONS": str(topics.partitions),
        "DORA_STATE_DIR": str(state),
        "DORA_PORT": "0",
        "DORA_WORKER_PORT": "0",
        "DORA_SESSION_TIMEOUT": "8",
        **{f"DORA_{name.upper()}": value for name, value in settings.items()},
    }


class Program:
    """One process of ``dora COMMAND``. ``folder`` keeps its port, its log and its state between starts.

    ``arguments`` follow the command. ``before`` is Python that runs in the process first: how a test
    sabotages the program that it tests.
    """

    def __init__(
        self, command: str, folder: Path, environment: dict[str, str], *arguments: str, before: str = ""
    ) -> None:
        self.command = command
        self.arguments = arguments
        self.folder = folder
        self.before = before
        self.environment = {**environment, "DORA_PORT_FILE": str(folder / "port")}
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.exits: list[int] = []  # codes of the processes that keep_running() found ended

    def start(self) -> None:
        """Start the process; see ``ready``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "port").unlink(missing_ok=True)
        self.starts += 1
        words = ["dora", self.command, *self.arguments]
        run = f"import sys; sys.argv = {words}; from deploy.cli import main; main()"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{self.before}\n{run}"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until /readyz says so."""
        async with asyncio.timeout(READY_TIMEOUT), httpx.AsyncClient() as client:
            while not await self._is_ready(client):
                assert self.running, f"{self.command} ended:\n{self.log()}"
                await asyncio.sleep(0.1)

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/readyz")).status_code == httpx.codes.OK
        except (OSError, httpx.HTTPError, ValueError):
            return False

    @property
    def url(self) -> str:
        """Base URL; ``OSError`` before the process listens."""
        return f"http://127.0.0.1:{int((self.folder / 'port').read_text())}"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    async def get(self, path: str) -> Any:
        """JSON from the process."""
        async with httpx.AsyncClient() as client:
            return json.loads((await client.get(self.url + path)).content)

    async def settled(self) -> None:
        """Wait until a worker has nothing left to do, at two looks in a row."""

        async def nothing_left() -> bool:
            lag = (await self.get("/healthz"))["lag"]
            return bool(lag) and not any(lag.values())

        for _ in range(2):
            await asyncio.sleep(1.2)
            await eventually(nothing_left, what=f"no lag of {self.folder.name}")

    def log(self) -> str:
        """The end of what the process wrote."""
        return (self.folder / "log").read_text(errors="replace")[-6000:]

    def kill(self) -> int:
        """SIGKILL, at once."""
        return self.send(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self.process is not None
        if self.running:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)

    async def keep_running(self, pause: float = 0.2) -> None:
        """Start the process again whenever it ends, as a container platform does."""
        while True:
            if not self.running:
                if self.process is not None:
                    self.exits.append(self.process.wait())
                self.start()
            await asyncio.sleep(pause)

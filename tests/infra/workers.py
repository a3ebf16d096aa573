"""Worker processes for tests: the real thing, started with the settings of one test."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from schemas.topics import Topics

ROOT = Path(__file__).parents[2]
START = "from deploy.logs import configure; configure(); from streams.settings import Settings; from streams.worker import run; run(Settings())"
READY_TIMEOUT = 60


class Worker:
    """One worker process. ``state`` is its folder for tables and logs, kept between starts."""

    def __init__(self, kafka: str, topics: Topics, dsn: str, state: Path, **settings: str) -> None:
        self.state = state
        self.environment = {
            "DORA_KAFKA": kafka,
            "DORA_POSTGRES": dsn,
            "DORA_TOPIC_PREFIX": topics.prefix,
            "DORA_PARTITIONS": str(topics.partitions),
            "DORA_STATE_DIR": str(state / "tables"),
            "DORA_WORKER_PORT": "0",
            "DORA_PORT_FILE": str(state / "port"),
            "DORA_SESSION_TIMEOUT": "8",
            **{f"DORA_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Worker":
        """Start the process; see ``ready``."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "port").unlink(missing_ok=True)
        with (self.state / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def ready(self) -> "Worker":
        """Wait until the worker has its partitions and tables."""
        async with asyncio.timeout(READY_TIMEOUT), httpx.AsyncClient() as client:
            while True:
                assert self.process is not None
                assert self.process.poll() is None, f"the worker ended:\n{self.log()}"
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return self
                except (OSError, httpx.HTTPError, ValueError):
                    pass
                await asyncio.sleep(0.1)

    @property
    def url(self) -> str:
        """Base URL of the health endpoints; ``OSError`` before the worker listens."""
        return f"http://127.0.0.1:{int((self.state / 'port').read_text())}"

    async def health(self) -> dict[str, Any]:
        """What /healthz says."""
        async with httpx.AsyncClient() as client:
            body: dict[str, Any] = json.loads((await client.get(f"{self.url}/healthz")).content)
            return body

    def log(self) -> str:
        """The end of what the worker wrote."""
        return (self.state / "log").read_text(errors="replace")[-6000:]

    def kill(self) -> None:
        """SIGKILL, at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def __enter__(self) -> "Worker":
        return self.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()

"""One of our own server processes (`dora ingress`, `worker`, `query`) as a child process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.embedded.ports import HOST, free_port
from deploy.embedded.process import Process

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 120.0  # seconds; a worker reads its tables back first
READY_POLL = 0.1
PROBE_TIMEOUT = 3.0


class Server:
    """A server process with `/readyz`. ``port`` 0 picks a free one, which it keeps over restarts.

    ``variable`` is the setting that tells the process its port.
    """

    def __init__(
        self,
        name: str,
        command: str,
        environment: Mapping[str, str],
        *,
        logs: Path,
        run: Path,
        port: int = 0,
        variable: str = "DORA_PORT",
    ) -> None:
        self.name = name
        self.port = port or free_port()
        self.process = Process(name, logs / f"{name}.log")
        self._command = command
        self._bound = run / f"{name}.port"
        self._environment = {
            **os.environ,
            # Small processes: the C library otherwise keeps memory for each thread apart.
            "MALLOC_ARENA_MAX": "2",
            **environment,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "DORA_HOST": HOST,
            variable: str(self.port),
            "DORA_PORT_FILE": str(self._bound),
        }

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting."""
        self._bound.parent.mkdir(parents=True, exist_ok=True)
        self._bound.unlink(missing_ok=True)
        self.process.launch([sys.executable, "-P", "-m", "deploy.cli", self._command], self._environment)

    def wait_ready(self) -> None:
        """Return when it says that it can do its work."""
        with httpx.Client(timeout=PROBE_TIMEOUT, trust_env=False) as client:
            self.process.wait_ready(lambda: self._is_ready(client), START_TIMEOUT, READY_POLL)

    def _is_ready(self, client: httpx.Client) -> bool:
        if not self._bound.exists():
            return False  # something else may listen on the port
        try:
            return client.get(f"{self.url}/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def stop(self, grace: float) -> None:
        """End it cleanly, or with SIGKILL after ``grace`` seconds."""
        self.process.stop(grace)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()

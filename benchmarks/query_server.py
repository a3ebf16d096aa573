"""A ``dora query`` of its own over the history of ``benchmarks/query_history.py``."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.query_history import ENVIRONMENT, Size, name_of

TEAM = 20  # services
START_TIMEOUT = 30.0  # seconds


def catalog(size: Size) -> str:
    """Teams of twenty services, and one production."""
    told = {name_of(n): {"team": team_of(n)} for n in range(size.services)}
    return json.dumps({"services": told, "production": [ENVIRONMENT]})


def team_of(number: int) -> str:
    """The team of a service."""
    return f"team-{number // TEAM:02}"


@contextmanager
def serving(dsn: str, folder: Path, size: Size) -> Iterator[str]:
    """A ``dora query`` of its own; its URL."""
    described, port = folder / "catalog.json", folder / "port"
    described.write_text(catalog(size), encoding="utf-8")
    port.unlink(missing_ok=True)
    environment = os.environ | {
        "DORA_POSTGRES": dsn,
        "DORA_CATALOG": str(described),
        "DORA_PORT": "0",
        "DORA_PORT_FILE": str(port),
    }
    with (folder / "query.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "query"], env=environment, stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{_port(port, process)}"
        finally:
            process.terminate()
            process.wait()


def _port(file: Path, process: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.05)
    raise RuntimeError(f"dora query did not start; see {file.parent / 'query.log'}")

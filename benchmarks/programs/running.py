"""Starting a measured program, waiting for what it tells, and counting what it costs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import psutil

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 60.0


@contextmanager
def running(module: str, folder: Path, environment: Mapping[str, str]) -> Iterator[psutil.Popen]:
    """``python -m MODULE`` as a child, killed at the end; its log is in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = psutil.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def wait_for(file: Path, process: psutil.Popen, seconds: float) -> bytes:
    """What the program writes to ``file``. Raises ``RuntimeError`` with its log when it does not in time."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        # Asked in this order: what it wrote before it ended is there when it has ended.
        if (process.poll() is not None and not file.exists()) or time.monotonic() > deadline:
            told = (file.parent / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"nothing from {' '.join(process.args[-1:])} within {seconds:g} s:\n{told}")
        time.sleep(0.02)
    return file.read_bytes()


def report_of(module: str, folder: Path, environment: Mapping[str, str], seconds: float) -> dict[str, float]:
    """Run a program of the streams' benchmark to its end; its report (``programs.work.Count``)."""
    report = folder / "report.json"
    told = {**environment, "REPORT": str(report), "STATE": str(folder / "state")}
    with running(module, folder, told) as process:
        result: dict[str, float] = orjson.loads(wait_for(report, process, seconds))
        return result


def processor_seconds(process: psutil.Process) -> float:
    """Seconds of a core that a running process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)

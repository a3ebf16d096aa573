"""The folder in which `dora up` keeps everything: held by one process at a time."""

import fcntl
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import psutil

from deploy.embedded.process import PartError

LEFTOVER_GRACE = 5.0  # seconds; the kernel has told them to end already
ROTATE_AT = 5_000_000  # bytes
READY = "ready"  # in run/: the line that says where everything is


class DataFolder:
    """A data folder, held by this process from `claim` to `release` or to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self._lock: IO[str] | None = None

    def claim(self) -> None:
        """Make the folder and hold it; raise `PartError` when another process does."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.run.mkdir(exist_ok=True)
            (self.path / ".gitignore").write_text("*\n")
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise PartError(
                f"cannot use the folder {self.path}: {error.strerror}; name another with --data-dir"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise PartError(
                f"{self.path} is in use by another dora (process {holder}): stop that one, "
                "or name another folder with --data-dir"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock
        self._end_leftovers()
        self._rotate_logs()

    def release(self) -> None:
        """Give the folder to the next one."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def tell(self, ready: str) -> None:
        """Write down where everything is, for `dora doctor`; for the owner's eyes, a password is in it."""
        place = self.run / READY
        place.unlink(missing_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{ready}\n")

    def remember(self, processes: Mapping[str, int]) -> None:
        """Write down the children, by name and process id, for a start after this process was killed."""
        known = {name: [pid, created] for name, pid in processes.items() if (created := creation(pid))}
        (self.run / "processes.json").write_text(json.dumps(known))

    def _end_leftovers(self) -> None:
        """End what an earlier, killed supervisor started and the kernel has not ended yet."""
        try:
            known = json.loads((self.run / "processes.json").read_text())
        except (OSError, ValueError):
            return
        left = [process for pid, created in known.values() if (process := same_process(pid, created))]
        _, still = psutil.wait_procs(left, timeout=LEFTOVER_GRACE)
        for process in still:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(still, timeout=LEFTOVER_GRACE)

    def _rotate_logs(self) -> None:
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > ROTATE_AT:
                log.replace(log.with_suffix(".log.1"))


def creation(pid: int) -> float | None:
    """When a process was created, in seconds since the epoch; ``None`` when there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def same_process(pid: int, created: float) -> psutil.Process | None:
    """The process with this id, if it was created then and is no later one with its number."""
    return psutil.Process(pid) if creation(pid) == created else None


def told_places(path: Path) -> dict[str, str]:
    """Where the parts were when the `dora up` of this data folder was ready; empty when it never was."""
    try:
        words = (path / "run" / READY).read_text().split()
    except OSError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)

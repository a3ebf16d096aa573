"""One child process: in a session of its own, its output in a log file, never outliving its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

LAUNCHER = Path(__file__).with_name("launch.py")
POLL = 0.05  # seconds between two looks at a process that starts or ends

# The kernel sends the death signal when the *thread* that started a child ends, so one thread that lives as
# long as this process starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


class PartError(Exception):
    """A part could not be started or has ended; the message names it, says why and what to do."""


class Account(Protocol):
    """What the launcher needs to know of another account to run as."""

    @property
    def argument(self) -> str:
        """As the launcher's third argument."""
        ...


def launcher(death_signal: int, account: Account | None) -> list[str]:
    """The command before a command that makes it die with this process and run as ``account``."""
    who = account.argument if account else "-"
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), who]


def settle() -> None:
    """Return when no child is just being started: a signal may have interrupted the wait for its start."""
    _starter.submit(lambda: None).result()


class Process:
    """A program that can be started, stopped, killed and started again.

    ``stop_signal`` asks it to end; ``death_signal`` is what it gets when this process dies without stopping
    it.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        *,
        stop_signal: int = signal.SIGTERM,
        death_signal: int = signal.SIGKILL,
        account: Account | None = None,
    ) -> None:
        self.name, self.log = name, log
        self._stop_signal, self._death_signal, self._account = stop_signal, death_signal, account
        self._child: subprocess.Popen[bytes] | None = None

    def launch(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Start ``command`` and return at once. Its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _starter.submit(self._spawn, command, environment, cwd).result()

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str] | None, cwd: Path | None) -> None:
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*launcher(self._death_signal, self._account), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if environment is None else dict(environment),
                cwd=cwd,
                # A terminal's Ctrl-C goes to the parent alone, which ends its children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """The process id; ``None`` before the first start."""
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative for a signal; ``None`` while it runs or before the first start."""
        return self._child.poll() if self._child else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, ready: Callable[[], bool], timeout: float, poll: float = POLL) -> None:
        """Return when ``ready()``; raise `PartError` if it ends or takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            if not self.running:
                raise PartError(self.obituary())
            if ready():
                return
            if time.monotonic() > deadline:
                raise PartError(f"{self.name} was not ready within {timeout:.0f} s; {self.last_words()}")
            time.sleep(poll)

    def ask_to_stop(self) -> None:
        """Send the stop signal, if it runs; `finish` waits for the end."""
        settle()
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(self._stop_signal)

    def stop(self, grace: float) -> None:
        """Ask it to end, and after ``grace`` seconds kill it and what it started."""
        self.ask_to_stop()
        self.finish(grace)

    def finish(self, grace: float) -> None:
        """Wait for a process that was asked to end; kill its session after ``grace`` seconds."""
        settle()
        if self._child is None:
            return
        try:
            self._child.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and its process group with SIGKILL, and reap it."""
        settle()
        if self._child is None or self._child.poll() is not None:
            return
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def kill_without_waiting(self) -> None:
        """As `kill`, for a signal handler: it takes no lock and waits for nothing."""
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def obituary(self) -> str:
        """One sentence on how it ended, with the end of its log."""
        code = self.exit_code
        how = (
            f"was ended by {signal.Signals(-code).name}"
            if code is not None and code < 0
            else f"ended with code {code}"
        )
        return f"{self.name} {how}; {self.last_words()}"

    def last_words(self, lines: int = 12) -> str:
        """Where the log is, and its last lines."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8192))
                text = log.read().decode(errors="replace")
        except OSError:
            return f"it wrote no log at {self.log}"
        tail = "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
        return f"its log {self.log} ends with\n{tail}" if tail else f"its log {self.log} is empty"

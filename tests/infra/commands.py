"""The `dora` command as a user runs it: a process of its own."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
FREE_PORTS = ("--ingress-port", "0", "--query-port", "0", "--kafka-port", "0", "--postgres-port", "0")
READY = re.compile(
    r"ready ingress=(http://\S+) query=(http://\S+) kafka=(\S+:\d+) postgres=(postgresql://\S+)\n"
)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without the project's own variables, and with ``settings``."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DORA_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **settings}


def dora(
    *arguments: str, timeout: float = 60, cwd: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-P", "-m", "deploy.cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(**settings),
        cwd=cwd,
        check=False,
    )


@dataclass(frozen=True)
class Ready:
    """What the ready line said."""

    ingress: str
    query: str
    kafka: str
    postgres: str


class Up:
    """A running `dora up`, in a session of its own like a terminal's foreground job."""

    def __init__(self, data: Path, *arguments: str, **settings: str) -> None:
        self.errors = data.with_suffix(".stderr")
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "deploy.cli",
                    "up",
                    "--data-dir",
                    str(data),
                    *FREE_PORTS,
                    *arguments,
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(**settings),
                start_new_session=True,
            )

    def ready(self) -> Ready:
        """The endpoints, once everything is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = READY.fullmatch(line)
        assert match, f"no ready line but {line!r}; {self.errors.read_text()}"
        return Ready(*match.groups())

    def family(self) -> list[psutil.Process]:
        """The command and every process below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """The child whose command line has ``word``."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in child.cmdline())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole foreground job, as a terminal does."""
        os.killpg(self.process.pid, number)

    def wait(self, timeout: float = 45) -> int:
        """The exit code."""
        return self.process.wait(timeout)

    def __enter__(self) -> "Up":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

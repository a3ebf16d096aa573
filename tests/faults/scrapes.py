"""What the processes say of themselves and take from the machine, looked at twice a second (I3, I6, I7)."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import psutil

from tests.infra.programs import Program

if TYPE_CHECKING:
    from tests.faults.scene import Scene

INTERVAL = 0.5  # seconds
SAMPLE = re.compile(r"^(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass
class Life:
    """One process from its start to its end. ``seen`` is when its counters were last read."""

    program: Program
    url: str = ""
    began: float = 0.0
    seen: float = 0.0
    ended: float | None = None
    text: str = ""

    def total(self, metric: str) -> float:
        """A counter's value, summed over its labels."""
        return sum(float(value) for name, value in SAMPLE.findall(self.text) if name == metric)


@dataclass(frozen=True)
class Usage:
    """What a process takes from the machine; ``memory`` in MiB, ``files`` without those of its tables.

    RocksDB opens a few for each partition, more after each start, and merges them in its own time.
    """

    memory: float
    files: int
    threads: int


def usage_of(program: Program) -> Usage | None:
    """``None`` when it is not there."""
    if program.process is None:
        return None
    try:
        process = psutil.Process(program.process.pid)
        files = process.num_fds() - sum("/state/" in file.path for file in process.open_files())
        return Usage(process.memory_info().rss / 2**20, files, process.num_threads())
    except psutil.Error:
        return None


@dataclass
class Scrapes:
    """The lives of a scene's processes."""

    scene: "Scene"
    lives: list[Life] = field(default_factory=list)
    peaks: dict[str, float] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.create_task(self._look_again())

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look_again(self) -> None:
        async with httpx.AsyncClient(timeout=2) as http:
            while True:
                await asyncio.gather(*(self.look(program, http) for program in self.scene.programs))
                await asyncio.sleep(INTERVAL)

    async def look(self, program: Program, http: httpx.AsyncClient) -> None:
        """Read a process's counters and what it takes."""
        life = self._life_of(program)
        if program.process is not None:
            with suppress(psutil.Error):
                memory = psutil.Process(program.process.pid).memory_info().rss / 2**20
                self.peaks[program.command] = max(self.peaks.get(program.command, 0), memory)
        with suppress(httpx.HTTPError, OSError, ValueError):
            url = program.url
            at = time.time()
            text = (await http.get(url + "/metrics")).text
            if life is self._life_of(program):
                life.url, life.text, life.seen = url, text, at

    def _life_of(self, program: Program) -> Life:
        mine = [life for life in self.lives if life.program is program]
        if len(mine) < program.starts:
            now = time.time()
            if mine:
                mine[-1].ended = now
            self.lives.append(Life(program, began=now))
            return self.lives[-1]
        return mine[-1]

"""What ``dora up`` costs when nothing happens: memory of all processes, and processor time.

Memory is the proportional set size, in which a page that several processes share is counted once.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.pipeline import pipeline
from benchmarks.programs.running import processor_seconds

SETTLE = 10.0  # seconds until what the start left to do is done


def run(options: Options) -> Sequence[Figure]:
    """Memory, then processor time over a while."""
    with pipeline(options.folder / "idle", quick=True) as instance:
        options.say("idle: letting it settle")
        time.sleep(SETTLE)
        pids = [part.process.pid for part in instance.parts.values()]
        processes = [found for pid in pids if pid is not None for found in _family(pid)]
        before, began = sum(map(processor_seconds, processes)), time.monotonic()
        time.sleep(options.sized(30, 10))
        used = (sum(map(processor_seconds, processes)) - before) / (time.monotonic() - began)
        memory = sum(_shared_out(process.pid) for process in processes)
    return [
        Figure("memory of all processes when idle", "MB", [memory / 1e6], Target(most=900)),
        Figure("processor when idle", "% of a core", [used * 100], Target(most=8)),
    ]


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _shared_out(pid: int) -> int:
    """Bytes of PSS, which only Linux tells; elsewhere the resident size."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if os.name != "posix" or not rollup.exists():
        return int(psutil.Process(pid).memory_info().rss)
    line = next(line for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


BENCHMARK = Benchmark("idle", "memory and processor of all processes when nothing happens", run)

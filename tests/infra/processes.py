"""Watching processes end."""

import time
from collections.abc import Sequence

import psutil


def survivors(processes: Sequence[psutil.Process], within: float) -> list[psutil.Process]:
    """Which of ``processes`` are still alive after at most ``within`` seconds."""
    deadline = time.monotonic() + within
    while alive := [process for process in processes if is_alive(process)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.05)
    return []


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a process that has ended but was not reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

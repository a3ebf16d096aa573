"""Memory that a worker held for a backlog, given back to the machine once there is nothing left to do."""

import ctypes
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int]:
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found or (lambda _: 0)


def give_back() -> None:
    """Ask the C library to return what is free; only glibc can, and keeps it for ever when nobody asks."""
    _trim()(0)

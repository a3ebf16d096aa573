"""A worker's memory: kept together while it works, and given back when nothing is left to do.

The C library keeps what was freed for the next time, for each thread apart; after a backlog that is most of
what a process holds. Only glibc is told: others have no such calls, or no such habit.
"""

import ctypes
import gc
from functools import cache
from typing import Any

# As <malloc.h> numbers them.
MMAP_THRESHOLD, ARENA_MAX = -3, -8
# Bytes from which a piece is the machine's again as soon as it is freed, as Kafka's answers are. By itself,
# glibc raises this limit to the largest piece that it has seen.
LARGE = 2**17
ARENAS = 2  # for all threads; each of ours, of Kafka's client and of RocksDB would have one of its own


@cache
def _call(name: str) -> Any:
    """A function of the C library, or one that does nothing."""
    return getattr(ctypes.CDLL(None), name, None) or (lambda *_: 0)


def keep_little() -> None:
    """Have the C library keep less of what is freed. To be called before there are threads."""
    mallopt = _call("mallopt")
    mallopt(ARENA_MAX, ARENAS)
    mallopt(MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Return to the machine whatever is free."""
    gc.collect()
    _call("malloc_trim")(0)

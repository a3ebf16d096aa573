"""What is free goes back to the machine, where the C library can do that, and does no harm elsewhere."""

import ctypes
import gc
import sys
from pathlib import Path

import pytest

from streams import memory


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc can"
)
def test_what_is_free_is_given_back() -> None:
    # Blocks below the size that the C library takes from the machine one by one; the last one holds the rest.
    blocks = [bytes(60_000) for _ in range(4_000)]
    last = bytes(60_000)
    full = resident()
    blocks.clear()
    gc.collect()
    memory.give_back()
    assert resident() < full - 30_000
    assert last


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._call.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep_little()
    memory.give_back()
    memory._call.cache_clear()

"""Durations as bytes, so that those of a deployment are one value of one row. Pure.

Ascending, eight bytes each, the most significant first: as PostgreSQL's ``float8send`` writes a float8.
Packed values are put together by putting the bytes together.
"""

import sys
from array import array
from collections.abc import Iterable


def pack(seconds: Iterable[float]) -> bytes:
    """``seconds`` in ascending order."""
    return _swapped(array("d", sorted(seconds))).tobytes()


def unpack(packed: bytes) -> list[float]:
    """The values in ``packed``."""
    values = array("d")
    values.frombytes(packed)
    return _swapped(values).tolist()


def _swapped(values: "array[float]") -> "array[float]":
    if sys.byteorder == "little":
        values.byteswap()
    return values

"""Packed durations: what comes out is what went in, and PostgreSQL writes the same."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from schemas.packed import pack, unpack

SECONDS = st.lists(st.floats(-1e12, 1e12))


@given(SECONDS, SECONDS)
def test_packed_values_are_put_together_by_their_bytes(one, other):
    assert unpack(pack(one)) == sorted(one)
    assert unpack(pack(one) + pack(other)) == sorted(one) + sorted(other)
    # As float8send: IEEE 754, the most significant byte first.
    assert pack(one) == struct.pack(f">{len(one)}d", *sorted(one))

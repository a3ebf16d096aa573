"""Which partition a key belongs to: the one that every Kafka client gives it.

aiokafka's own hash is written in Python and costs as much as parsing a small event; keys are sources,
services and repositories, of which there are few beside the events.
"""

from collections.abc import Sequence
from functools import lru_cache

from aiokafka.partitioner import DefaultPartitioner, murmur2

REMEMBERED = 16_384  # keys
LONGEST = 256  # bytes of a key that is remembered: a sender chooses them, and must not choose our memory

_remembered = lru_cache(maxsize=REMEMBERED)(murmur2)
_keyless = DefaultPartitioner()


def choose_partition(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """The partition of ``key``, as Java's client chooses it; any that has a leader for none."""
    if key is None:
        return int(_keyless(None, partitions, available))
    hashed: int = _remembered(key) if len(key) <= LONGEST else murmur2(key)
    return partitions[(hashed & 0x7FFFFFFF) % len(partitions)]

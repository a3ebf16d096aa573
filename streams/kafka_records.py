"""Reading record batches in which a header's name is not UTF-8.

Anybody may write such a record. aiokafka decodes the names of headers strictly, while it parses a batch: the
error leaves its fetcher, the rest of the batch is skipped, and the worker stops. Here such a batch is parsed
again, with what cannot be decoded written as ``\\xff``, so that the record can become a dead letter and its
neighbours are read. ``install`` puts this in place of the fetcher's reader.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

NEWEST_MAGIC = 2  # message format v2, the only one with headers


class ForgivingText(bytearray):
    """Bytes that decode to text whatever they hold."""

    def __getitem__(self, place: Any) -> Any:
        """A byte, or a slice that is as forgiving."""
        found = super().__getitem__(place)
        return ForgivingText(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        """The text, with escapes for what is none."""
        return bytes(self).decode(encoding, "backslashreplace")


class ForgivingBatch(_DefaultRecordBatchPy):
    """A batch parsed in Python over forgiving bytes; keys and values come out as plain bytes."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = ForgivingText(self._buffer)


class Batch:
    """A record batch as the fetcher uses it: aiokafka's own, parsed again when a name cannot be decoded."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._strict = DefaultRecordBatch(content)

    def __getattr__(self, name: str) -> Any:
        """Everything but the records is as aiokafka reads it."""
        return getattr(self._strict, name)

    def __iter__(self) -> Iterator[Any]:
        """The records."""
        try:
            return iter(list(self._strict))
        except UnicodeDecodeError:
            return iter(list(ForgivingBatch(self._content)))


class Records(_MemoryRecordsPy):
    """The batches of one fetch."""

    def next_batch(self) -> Any:
        """The next batch; ``None`` at the end."""
        content = self._next_slice
        if content is None or content[self.MAGIC_OFFSET] < NEWEST_MAGIC:
            return super().next_batch()
        self._cache_next()
        return Batch(content)


def install() -> None:
    """Let every consumer of this process read batches this way."""
    fetcher.MemoryRecords = Records

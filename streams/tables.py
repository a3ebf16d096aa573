"""Faust tables whose changelog writes can be awaited.

Stock Faust sends changelog records in the background and only logs a failure; a state that did not reach its
changelog is gone with the disk. Here each send is kept until the agent has awaited it.

And a changelog that cannot be read ends the process: stock Faust would recover from it for ever.
"""

from collections.abc import Callable, Iterable
from typing import Any

import faust
import orjson
from faust.tables.table import Table as FaustTable
from faust.types import EventT, Message

from streams.progress import exit_now

EXIT_FAILED = 1
UNREADABLE = (
    "damaged, or written by another version: start that version; or delete the changelogs and the state"
    " folder, run dora topics, start the worker, and run dora recompute"
)


class Topic(faust.Topic):
    """A topic. What cannot be decoded is a changelog's: all others are read as bytes."""

    async def on_decode_error(self, exc: Exception, message: Message) -> None:  # noqa: ARG002 - Faust's
        """End the process; stock Faust would wait for the rest of its recovery for ever."""
        end_unreadable(message)


def end_unreadable(message: Message) -> None:
    """End the process and say which record it is."""
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    exit_now(EXIT_FAILED, "worker.changelog_unreadable", **place, advice=UNREADABLE)


class Table(FaustTable):
    """A table that remembers its unconfirmed changelog sends.

    ``is_value`` says of JSON whether it can be a value of this table.
    """

    is_value: Callable[[Any], bool] = staticmethod(lambda _: True)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pending: list[Any] = []

    def send_changelog(self, *args: Any, **options: Any) -> Any:
        """Send a change to the changelog topic and keep its confirmation."""
        confirmation = super().send_changelog(*args, **options)
        self._pending.append(confirmation)
        return confirmation

    def take_pending(self) -> list[Any]:
        """The unconfirmed sends, which are the caller's to await from now on."""
        pending, self._pending = self._pending, []
        return pending

    def apply_changelog_batch(self, batch: Iterable[EventT]) -> None:
        """Take over what the changelog says, or end the process and say which record is none of ours."""
        for event in batch:
            if event.message.key is None or not self._is_readable(event.message.value):
                end_unreadable(event.message)
        super().apply_changelog_batch(batch)

    def _is_readable(self, value: bytes | None) -> bool:
        try:
            return value is None or self.is_value(orjson.loads(value))
        except orjson.JSONDecodeError:
            return False

"""Faust tables whose changelog writes can be awaited, and which two owners at once do not spoil.

Stock Faust sends changelog records in the background and only logs a failure; a state that did not reach its
changelog is gone with the disk. Here each send is kept until the agent has awaited it.

Stock Faust takes the last record of a changelog for the state of its key, and believes its own disk up to
the offset that its last record got. A worker that was frozen while it wrote spoils both: its record is the
last, and on its disk is not what others wrote before that. Here a state has a position (streams/positions.py)
and the highest is kept; the disk is believed up to the first record that was not ours; and a record that came
late is written over, so that compaction cannot leave it alone on the topic.

And a changelog that cannot be read ends the process: stock Faust would recover from it for ever.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import faust
import orjson
import structlog
from faust.stores.base import SerializedStore
from faust.tables.table import Table as FaustTable
from faust.types import TP, EventT, FutureMessage, Message

from streams.positions import is_stated, position_of, stated
from streams.progress import exit_now

log = structlog.get_logger(__name__)

EXIT_FAILED = 1
UNREADABLE = (
    "damaged, or written by another version: start that version; or delete the changelogs and the state"
    " folder, run dora topics, start the worker, and run dora recompute"
)


class Topic(faust.Topic):
    """A topic. What cannot be decoded is a changelog's: all others are read as bytes.

    Of bytes an event is made at once: stock Faust asks its registry of codecs for each key and value.
    """

    def _compile_decode(self) -> None:
        super()._compile_decode()
        if (self.schema.key_serializer, self.schema.value_serializer) == ("raw", "raw"):
            self.decode = self._decode_bytes

    async def _decode_bytes(self, message: Message, *, propagate: bool = False) -> EventT:  # noqa: ARG002
        event: EventT = self.app.create_event(message.key, message.value, message.headers, message)
        return event

    async def on_decode_error(self, exc: Exception, message: Message) -> None:  # noqa: ARG002 - Faust's
        """End the process; stock Faust would wait for the rest of its recovery for ever."""
        end_unreadable(message)


def end_unreadable(message: Message) -> None:
    """End the process and say which record it is."""
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    exit_now(EXIT_FAILED, "worker.changelog_unreadable", **place, advice=UNREADABLE)


class Table(FaustTable):
    """A table of states with positions, which remembers its unconfirmed changelog sends.

    ``is_state`` says of JSON whether it can be a state of this table.
    """

    is_state: Callable[[Any], bool] = staticmethod(lambda _: True)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pending: list[Any] = []
        # The last offset of each changelog partition that we know of; where records begin that are not ours
        # and were not looked at; and where somebody is ahead of what is on our disk.
        self._ends: dict[TP, int] = {}
        self._foreign: dict[TP, int] = {}
        self._behind: set[TP] = set()
        # Keys by partition under which the changelog has a state later than a fuller one.
        self._outdated: set[tuple[int, bytes]] = set()

    # Writing

    def stated(self, key: Any, state: Any, last: TP, position: int) -> list[Any] | None:
        """``state`` as it is to be stored under ``key`` in the current partition; ``None``: it is not.

        It follows from the records of ``last`` up to the offset ``position``.
        """
        known = position_of(read_stored(self, last.partition, key))
        return stated(position, state, known, self.app.consumer.highwater(last) or 0)

    def send_changelog(self, *args: Any, **options: Any) -> Any:
        """Send a change to the changelog topic and keep its confirmation."""
        confirmation = super().send_changelog(*args, **options)
        self._pending.append(confirmation)
        return confirmation

    def take_pending(self) -> list[Any]:
        """The unconfirmed sends, which are the caller's to await from now on."""
        pending, self._pending = self._pending, []
        return pending

    def _on_changelog_sent(self, fut: FutureMessage) -> None:
        sent = fut.result()
        tp = TP(*sent.topic_partition)
        end = self._ends.get(tp, sent.offset - 1)
        if sent.offset > end + 1:
            self._foreign.setdefault(tp, end + 1)
        self._ends[tp] = max(end, sent.offset)
        self._persist(tp)

    def _persist(self, tp: TP) -> None:
        if tp not in self._foreign and tp not in self._behind:
            self.data.set_persisted_offset(tp, self._ends[tp])

    # Records that are not ours

    def foreign(self) -> Mapping[TP, range]:
        """Offsets of changelog partitions among which are records that this process has not confirmed."""
        return {tp: range(first, self._ends[tp] + 1) for tp, first in self._foreign.items()}

    def look_at(self, tp: TP, records: Iterable[tuple[bytes, bytes]]) -> None:
        """(key, value) of ``foreign`` records. Less full ones are written over.

        With a fuller one somebody is ahead of us: then the next recovery begins before the first of them.
        """
        for key, value in records:
            known = position_of(self._stored(tp.partition, key))
            if position_of(value) > known:
                self._behind.add(tp)
            elif position_of(value) < known:
                self._outdated.add((tp.partition, key))
        del self._foreign[tp]
        self._persist(tp)
        self._write_over({tp.partition})

    def _write_over(self, partitions: set[int]) -> None:
        for partition, key in sorted(self._outdated):
            if partition in partitions:
                log.warning("table.late_record", table=self.name, partition=partition)
                value = self._stored(partition, key)
                self.send_changelog(partition, key, value, key_serializer="raw", value_serializer="raw")
        self._outdated = {entry for entry in self._outdated if entry[0] not in partitions}

    # Recovery

    def apply_changelog_batch(self, batch: Iterable[EventT]) -> None:
        """Take over what the changelog says, or end the process and say which record is none of ours."""
        newest: dict[tuple[int, bytes], int] = {}
        taken = []
        for event in batch:
            message = event.message
            if message.key is None or not self._is_readable(message.value):
                end_unreadable(message)
            place, position = (message.partition, message.key), position_of(message.value)
            if place not in newest:
                newest[place] = position_of(self._stored(*place))
            if position < newest[place]:
                self._outdated.add(place)
                continue
            newest[place] = position
            self._outdated.discard(place)
            taken.append(event)
        super().apply_changelog_batch(taken)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """What is on the topic is known; what came late to it is written over."""
        await super().on_recovery_completed(active_tps, standby_tps)
        ends = self.app.tables.recovery.active_highwaters
        self._ends = {tp: ends[tp] for tp in active_tps if tp in ends}
        self._foreign.clear()
        self._behind.clear()
        self._write_over({tp.partition for tp in active_tps})
        self._outdated.clear()

    def _is_readable(self, value: bytes | None) -> bool:
        try:
            return value is None or is_stated(orjson.loads(value), self.is_state)
        except orjson.JSONDecodeError:
            return False

    def _stored(self, partition: int, key: bytes) -> bytes | None:
        return read_stored(self, partition, self._to_key(orjson.loads(key)))


def read_stored(table: FaustTable, partition: int, key: Any) -> bytes | None:
    """The JSON that ``table`` has under ``key`` in ``partition``, whichever partition is current."""
    store = table.data
    if isinstance(store, SerializedStore):
        stored: bytes | None = store._db_for_partition(partition).get(store._encode_key(key))
        return stored
    known = store.get(key)
    return None if known is None else orjson.dumps(known)

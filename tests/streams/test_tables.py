"""What a changelog may hold."""

import faust
import orjson
import pytest
from faust.tables.table import Table as FaustTable
from faust.types import TP

from streams.tables import Table, read_stored
from streams.tally import Placement, is_placement

PLACED = list(Placement(1, 2, "s", "i", 3, True, "service", "environment"))


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        (b"no JSON", False),
        (b"", False),
        (b'[7, [1, 2, "s", "i", 3, true, "service", "environment"]]', True),
        (b'[-2, [1, 2, "s", "i", 3, true, "service", "environment"]]', False),
        (b'[1, 2, "s", "i", 3, true, "service", "environment"]', False),
        (b'[7, [1, 2, "s", "i", 3, true, "service", "environment", "and more"]]', False),
        (b"{}", False),
        (None, True),
    ],
)
def test_r13_r21_placements_of_another_version_are_not_taken_for_ours(value: bytes | None, readable: bool):
    table = Table.__new__(Table)
    table.is_state = is_placement
    assert table._is_readable(value) is readable


def test_what_is_written_can_be_read():
    assert is_placement(PLACED)


class Message:
    """A changelog record as recovery hands it over."""

    def __init__(self, offset: int, key: str, state: object, position: int) -> None:
        self.topic, self.partition, self.offset = "t", 0, offset
        self.tp = TP("t", 0)
        self.key, self.value = orjson.dumps(key), orjson.dumps([position, state])


class Event:
    def __init__(self, *told: object) -> None:
        self.message = Message(*told)
        self.key, self.value = orjson.loads(self.message.key), orjson.loads(self.message.value)


class Sent:
    """What a producer says of a record that it sent."""

    def __init__(self, offset: int) -> None:
        self.topic_partition, self.offset = ("t", 0), offset

    def result(self) -> "Sent":
        return self


@pytest.fixture
def table(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """A table on a disk of its own, whose changelog is ``written``."""
    app = faust.App("t", broker="kafka://127.0.0.1:1", store="rocksdb://", datadir=str(tmp_path), Table=Table)
    table = app.Table("states", partitions=1)
    table.written = []

    def send(self, partition, key, value, **_: object):
        table.written.append((key, value))

    monkeypatch.setattr(FaustTable, "send_changelog", send)
    monkeypatch.setattr(app.tables.recovery, "active_highwaters", {TP("t", 0): 4})
    return table


def held(table: Table, key: str) -> object:
    stored = read_stored(table, 0, key)
    return None if stored is None else orjson.loads(stored)


async def test_r20_recovery_keeps_the_fullest_state_and_writes_it_over_what_came_late(table: Table):
    table.apply_changelog_batch([Event(1, "a", "full", 9), Event(2, "b", "old", 3), Event(3, "a", "late", 4)])
    table.apply_changelog_batch([Event(4, "b", "new", 3)])
    assert (held(table, "a"), held(table, "b")) == ([9, "full"], [3, "new"])
    assert table.written == []
    await table.on_recovery_completed({TP("t", 0)}, set())
    assert table.written == [(b'"a"', b'[9,"full"]')]


async def test_r20_the_disk_is_believed_up_to_the_first_record_of_somebody_who_is_ahead(table: Table):
    """A worker that goes on late confirms its records behind those of its successor."""
    table.apply_changelog_batch([Event(4, "a", "mine", 4)])
    await table.on_recovery_completed({TP("t", 0)}, set())
    table._on_changelog_sent(Sent(5))
    assert table.data.persisted_offset(TP("t", 0)) == 5
    table._on_changelog_sent(Sent(8))
    assert table.foreign() == {TP("t", 0): range(6, 9)}
    assert table.data.persisted_offset(TP("t", 0)) == 5
    table.look_at(TP("t", 0), [(b'"a"', b'[7,"his"]')])
    table._on_changelog_sent(Sent(9))
    assert table.data.persisted_offset(TP("t", 0)) == 5
    assert table.foreign() == {}


async def test_r20_an_owner_writes_over_what_came_late_and_goes_on(table: Table):
    table.apply_changelog_batch([Event(4, "a", "mine", 4), Event(4, "b", "mine", 4)])
    await table.on_recovery_completed({TP("t", 0)}, set())
    table._on_changelog_sent(Sent(7))
    table.look_at(TP("t", 0), [(b'"a"', b'[2,"late"]'), (b'"b"', b'[4,"mine"]'), (b'"b"', b'[4,"mine"]')])
    assert table.written == [(b'"a"', b'[4,"mine"]')]
    table._on_changelog_sent(Sent(8))
    assert table.data.persisted_offset(TP("t", 0)) == 8

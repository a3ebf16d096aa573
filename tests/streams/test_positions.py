"""Two owners of a partition, one of them late: what is on the changelog is right whoever wrote it last."""

from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.calendar import bucket_of
from streams.positions import NOWHERE, is_stated, position_of, stated
from streams.tally import Tally
from tests.streams.reports import histories
from tests.streams.test_tally import recount

ZONE = ZoneInfo("America/St_Johns")
Key = tuple[Any, ...]
Record = tuple[Key, bytes]


def test_r13_the_position_is_read_without_the_state():
    assert position_of(orjson.dumps(stated(12, {"a": [1, 2]}, known=3, end=20))) == 12
    assert position_of(None) == NOWHERE
    with pytest.raises(ValueError, match="no position"):
        position_of(b'{"a": 1}')


@pytest.mark.parametrize(
    ("known", "stored"),
    [
        (NOWHERE, [3, "new"]),
        (3, [3, "new"]),
        (7, None),  # follows from more
        (8, [8, "new"]),  # there is no such record: of a topic that had the name before
    ],
)
def test_a_state_that_follows_from_more_stays(known, stored):
    assert stated(3, "new", known=known, end=8) == stored


@pytest.mark.parametrize("value", [[], [1], [1, 2, 3], {"1": 2}, ["1", 2], [-2, 2], 7, None])
def test_what_has_no_position_is_not_ours(value):
    assert not is_stated(value, lambda _: True)


class Owner:
    """What one worker has of a partition: the states that it recovered, and those that it wrote since."""

    def __init__(self, changelog: list[Record]) -> None:
        self.states: dict[Key, bytes] = {}
        self.written: list[Record] = []
        for key, value in changelog:
            if position_of(value) >= position_of(self.states.get(key)):
                self.states[key] = value

    def count(self, reports: list[Any], first: int, last: int) -> list[Record]:
        """The changelog records, in order, of the batch of offsets ``first`` to ``last``."""
        tally = Tally(ZONE, lambda name: self._state(("placed", name), None), self._window)
        for each in reports[first : last + 1]:
            tally.place(each)
        for change in tally.changed():
            self._write((change.bucket, change.key, start_of(change)), change.value, last)
        for name, placement in tally.placed.items():
            self._write(("placed", name), list(placement), last)
        written, self.written = self.written, []
        return written

    def _write(self, key: Key, state: Any, position: int) -> None:
        value = stated(position, state, position_of(self.states.get(key)), end=1_000)
        if value is not None:
            self.states[key] = orjson.dumps(value)
            self.written.append((key, self.states[key]))

    def _window(self, bucket: Any, key: str, instant: Any) -> Any:
        place = (bucket, key, bucket_of(instant, bucket, ZONE)[0].timestamp())
        return self._state(place, [] if bucket == "day" else {})

    def _state(self, key: Key, default: Any) -> Any:
        return orjson.loads(self.states[key])[1] if key in self.states else default


def start_of(change: Any) -> float:
    return bucket_of(change.instant, change.bucket, ZONE)[0].timestamp()


@settings(max_examples=300, deadline=None)
@given(histories, st.randoms(use_true_random=False), st.booleans())
def test_r20_a_frozen_owners_records_that_arrive_late_change_nothing(reports, random, dies):
    assume(reports)
    events = [*reports, *reports]
    random.shuffle(events)
    end = len(events) - 1
    frozen_at, in_hand = random.randint(0, end), random.randint(0, end)
    first, last = min(frozen_at, in_hand), max(frozen_at, in_hand)
    changelog: list[Record] = []
    one = Owner([])
    if first:
        changelog += one.count(events, 0, first - 1)
    late = one.count(events, first, last)
    landed = random.randint(0, len(late))
    changelog, late = changelog + late[:landed], late[landed:]
    # Another recovers what has landed, and does the batch again in pieces; the rest lands in between.
    other = Owner(changelog)
    done = first
    while done <= end:
        until = random.randint(done, end)
        written = other.count(events, done, until)
        for record in written:
            while late and random.random() < 0.3:
                changelog.append(late.pop(0))
            changelog.append(record)
        done = until + 1
        if dies and random.random() < 0.5:
            other = Owner(changelog)
    changelog += late
    last_one = Owner(changelog)
    days = {key: orjson.loads(value)[1] for key, value in last_one.states.items() if key[0] == "day"}
    found = {(*key[1].split("\x1f"), "day", key[2]): len(members) for key, members in days.items() if members}
    expected = {cell: value[0] for cell, value in recount(reports, ZONE).items() if cell[2] == "day"}
    assert found == expected

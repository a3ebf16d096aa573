"""The measuring stage and its tables: in which order it writes."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from faust.types import TP

from streams.agents.measure import Group, Windows
from streams.tally import COUNTING
from tests.streams.reports import report

AT = datetime(2026, 3, 5, 10, tzinfo=UTC)


class Event:
    """Stands for a consumed event; only its place is used."""

    message = SimpleNamespace(tp=TP("cdevents", 0), partition=0, offset=7)


class Journal:
    """What happened to the tables, in order: ("write", table) and ("confirmed", table)."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    def table(self, name: str, **_: Any) -> "RecordedTable":
        return RecordedTable(self, name)


class RecordedTable(dict[str, Any]):
    """A Faust table as far as the stage uses one; its changelog confirms only when it is waited for."""

    def __init__(self, journal: Journal, name: str) -> None:
        super().__init__()
        self.journal, self.name, self.pending = journal, name, []
        self.table = self

    def using_window(self, window: object) -> "RecordedTable":
        self.window = window
        return self

    def stated(self, _: object, state: object, __: TP, position: int) -> list[object]:
        return [position, state]

    def foreign(self) -> dict[Any, Any]:
        return {}

    def relative_to(self, _: datetime) -> "RecordedTable":
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.journal.entries.append(("write", self.name))
        self.pending.append(self._confirmation())

    async def _confirmation(self) -> None:
        await asyncio.sleep(0)
        self.journal.entries.append(("confirmed", self.name))

    def take_pending(self) -> list[Any]:
        pending, self.pending = self.pending, []
        return pending


async def test_where_a_deployment_was_counted_is_remembered_after_the_counts_are_confirmed():
    """Killed between the two, the stage takes the deployment out of its old windows once more, and puts it
    into the new ones once more. The other way round nobody would know of the old windows any longer."""
    journal = Journal()
    pipeline: Any = SimpleNamespace(
        app=SimpleNamespace(Table=journal.table), settings=SimpleNamespace(partitions=1, cluster=None)
    )
    windows = Windows(pipeline, ZoneInfo("UTC"))
    tally = windows.tally()
    tally._read = lambda bucket, *_: [] if bucket == "day" else {}
    tally.place(report("a", AT))
    await windows.remember([Group(Event(), tally)])
    first_placed = journal.entries.index(("write", "placed"))
    assert {("confirmed", bucket) for bucket in COUNTING} <= set(journal.entries[:first_placed])
    assert ("confirmed", "placed") in journal.entries[first_placed:]
    assert windows.placed["a"][0] == 7

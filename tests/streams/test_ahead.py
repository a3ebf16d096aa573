"""Two batches in hand: what overlaps, what never does, and what becomes of the second if the first fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from streams.ahead import Turn, drain_ahead
from streams.guard import Guard
from streams.progress import Abandoned, Progress


class Batch:
    """A batch of some records, in one generation of the consumer group."""

    app = SimpleNamespace(progress=Progress())

    def __init__(self, events: Sequence[int], generation: int = 1) -> None:
        self.events = events
        self.generation = generation


class Stream:
    """Batches that are there already; ``full`` says whether each further one is as large as it may be."""

    def __init__(self, *batches: Batch, full: bool = True) -> None:
        self._batches = list(batches)
        self._full = full

    async def batches(self, *_: Any) -> AsyncIterator[Batch]:
        while self._batches:
            yield self._batches.pop(0)

    def has_waiting(self, _: int) -> bool:
        return self._full and bool(self._batches)


class Stage:
    """What happens, in order: a record is looked at, it has its effect, its batch is finished or abandoned.

    ``slow`` records are sent for a while, ``broken`` ones raise when they are looked at, ``left`` ones when
    their partitions are given up.
    """

    def __init__(self, *, slow: Any = (), broken: Any = (), left: Any = ()) -> None:
        self.slow, self.broken, self.left = slow, broken, left
        self.told: list[tuple[str, Any]] = []
        self.guard = Guard(Progress(), self.bury)

    async def bury(self, event: Any, *_: Any) -> None:
        self.told.append(("buried", event))

    async def handle(self, events: Sequence[Any], turn: Turn) -> None:
        for event in events:
            self.told.append(("looked", event))
            if event in self.broken:
                raise KeyError(event)
        await turn()
        for event in events:
            await asyncio.sleep(0.02 if event in self.slow else 0)
            if event in self.left:
                raise Abandoned
            self.told.append(("done", event))

    async def complete(self, batch: Any, handle: Any) -> bool:
        try:
            await self.guard.run("transform", batch.events, handle)
        except Abandoned:
            self.told.append(("abandoned", list(batch.events)))
            return False
        self.told.append(("finished", list(batch.events)))
        return True

    async def run(self, *batches: Batch, full: bool = True) -> list[tuple[str, Any]]:
        stream: Any = Stream(*batches, full=full)
        await drain_ahead(stream, "transform", 2, self.handle, self.complete)
        return self.told

    def only(self, *kinds: str) -> list[tuple[str, Any]]:
        return [each for each in self.told if each[0] in kinds]


async def test_the_next_batch_is_looked_at_while_one_is_sent_and_has_no_effect_before_it_is_finished():
    stage = Stage(slow=[1])
    told = await stage.run(Batch([1]), Batch([2]), Batch([3]))
    assert told.index(("looked", 2)) < told.index(("done", 1))
    assert told.index(("looked", 3)) > told.index(("finished", [1]))  # two in hand, not three
    assert stage.only("done", "finished") == [
        ("done", 1),
        ("finished", [1]),
        ("done", 2),
        ("finished", [2]),
        ("done", 3),
        ("finished", [3]),
    ]


async def test_few_records_are_left_to_become_more():
    told = await Stage(slow=[1]).run(Batch([1]), Batch([2]), full=False)
    assert told.index(("looked", 2)) > told.index(("finished", [1]))


async def test_what_breaks_is_looked_for_in_turn():
    """Its row would else be the first with a source and id that the batch before has, too."""
    stage = Stage(slow=[1], broken=[2])
    told = await stage.run(Batch([1]), Batch([2, 3]))
    assert told.index(("buried", 2)) > told.index(("finished", [1]))
    assert stage.only("done") == [("done", 1), ("done", 3)]
    assert told[-1] == ("finished", [2, 3])


async def test_a_batch_of_dead_letters_alone_waits_too():
    told = await Stage(slow=[1], broken=[2]).run(Batch([1]), Batch([2]))
    assert told[-3:] == [("finished", [1]), ("buried", 2), ("finished", [2])]


async def test_what_comes_after_an_abandoned_batch_is_abandoned_before_it_has_an_effect():
    """Were it finished, the frontier would pass over the first."""
    stage = Stage(slow=[1], left=[1])
    await stage.run(Batch([1]), Batch([2]))
    assert stage.only("done", "abandoned", "finished") == [("abandoned", [1]), ("abandoned", [2])]


async def test_an_abandoned_batch_says_nothing_of_the_next_assignment():
    stage = Stage(slow=[1], left=[1])
    await stage.run(Batch([1]), Batch([2], generation=2))
    assert stage.only("done", "abandoned", "finished") == [
        ("abandoned", [1]),
        ("done", 2),
        ("finished", [2]),
    ]


async def test_batches_that_come_after_the_end_of_an_abandoned_one_are_worked_on():
    stage = Stage(left=[1])
    await stage.run(Batch([1]), Batch([2]), full=False)
    assert stage.only("abandoned", "finished") == [("abandoned", [1]), ("finished", [2])]


async def test_when_partitions_are_given_up_only_the_batch_that_has_begun_is_completed():
    """Whoever waits for the partitions waits for one batch, not for two."""
    stage = Stage(slow=[1])
    running = asyncio.create_task(stage.run(Batch([1]), Batch([2])))
    await asyncio.sleep(0.005)
    Batch.app.progress.leaving.set()
    try:
        await running
    finally:
        Batch.app.progress.leaving.clear()
    assert stage.only("done", "abandoned", "finished") == [
        ("done", 1),
        ("finished", [1]),
        ("abandoned", [2]),
    ]


async def test_a_stage_that_is_cancelled_stops_both():
    stage = Stage(slow=[1])
    running = asyncio.create_task(stage.run(Batch([1]), Batch([2]), Batch([3])))
    await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.03)
    assert stage.only("done", "finished", "abandoned") == []
    assert stage.only("looked") == [("looked", 1), ("looked", 2)]

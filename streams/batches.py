"""Batches: what an agent gets from its stream, and gives back when all of its effects are done.

Taken straight off the channel's queue, without Faust's per-event acks (``take`` acks even when its body
raised). A batch is finished as a whole and in order; until then nothing of it can be committed.
"""

import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import faust
from faust.streams import _current_event
from faust.types import TP, EventT

from streams.consumer import App


class Batch:
    """Records of one poll, of any number of partitions, each partition's in offset order."""

    def __init__(self, app: App, stage: str, events: list[EventT]) -> None:
        self.app = app
        self.stage = stage
        self.events = events
        self.generation = app.consumer_generation_id

    def abandon(self) -> None:
        """Nothing of it counts as done: it is read again by the next owner of its partitions."""
        self.app.progress.end(self.stage)

    def finish(self) -> None:
        """All effects are confirmed. Without effect when the partitions were reassigned meanwhile."""
        self.app.progress.end(self.stage)
        if self.generation != self.app.consumer_generation_id:
            return
        last: dict[TP, int] = {}
        for event in self.events:
            last[event.message.tp] = event.message.offset
        for tp, offset in last.items():
            self.app.frontier.advance(self.stage, tp, offset)


class Stream(faust.Stream):
    """A Faust stream that yields batches."""

    async def batches(self, stage: str, size: int) -> AsyncIterator[Batch]:
        """Batches of up to ``size`` records; whatever is there at once, never waiting to fill one."""
        self._finalized = True
        await self.maybe_start()
        queue = self.channel.queue
        try:
            while not self.should_stop:
                events = [await self.channel.__anext__()]
                while len(events) < size and not queue.empty():
                    events.append(queue.get_nowait())
                if events := self._still_ours(events):
                    self.app.progress.begin(stage)
                    yield Batch(self.app, stage, events)
        except StopAsyncIteration:
            return
        finally:
            self._channel_stop_iteration(self.channel)

    def has_waiting(self, size: int) -> bool:
        """Whether so many records are waiting to be taken."""
        return bool(self.channel.queue.qsize() >= size)

    def _still_ours(self, events: list[EventT]) -> list[EventT]:
        """Drop what was fetched before a rebalance: its new owner reads it again."""
        if not self.app.flow_control.is_active():
            return []
        generation = self.app.consumer_generation_id
        return [event for event in events if event.message.generation_id == generation]


def by_partition(events: list[EventT]) -> dict[int, list[EventT]]:
    """Events grouped by partition number, in order. Faust's table state is per partition."""
    groups: defaultdict[int, list[EventT]] = defaultdict(list)
    for event in events:
        groups[event.message.partition].append(event)
    return groups


@contextmanager
def table_partition(event: EventT) -> Iterator[None]:
    """Within this, Faust tables read and write the partition of ``event``."""
    token = _current_event.set(weakref.ref(event))
    try:
        yield
    finally:
        _current_event.reset(token)

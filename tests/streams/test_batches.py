"""Batches: what a stage gets at once, when it counts as finished, and the tables that it writes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import faust.streams
import pytest

from streams.batches import by_partition, table_partition
from streams.consumer import App
from tests.streams.messages import CDEVENTS, IN, event


async def batches_of(app: App, events: list[Any], size: int) -> list[list[int]]:
    """The offsets of the batches that a stream with these events in its queue yields."""
    stream = app.stream(app.channel())
    found = []
    generator = stream.batches("transform", size)
    first = asyncio.ensure_future(anext(generator))
    await asyncio.sleep(0.01)
    for each in events:
        stream.channel.queue.put_nowait(each)
    batch = await asyncio.wait_for(first, 1)
    while True:
        found.append([each.message.offset for each in batch.events])
        assert app.progress.activities["transform"].busy
        batch.finish()
        try:
            batch = await asyncio.wait_for(anext(generator), 0.05)
        except TimeoutError:
            return found


async def test_a_batch_is_whatever_is_there_up_to_its_size(app: App):
    assert await batches_of(app, [event(n) for n in range(5)], 2) == [[0, 1], [2, 3], [4]]
    assert app.frontier.committable(IN) == 5
    assert not app.progress.activities["transform"].busy


async def test_what_was_fetched_before_a_rebalance_is_dropped(app: App):
    """Its new owner reads it again; both handling it would let the slower one write over the other."""
    app.consumer_generation_id = 3
    events = [event(0, generation=2), event(7, generation=3)]
    assert await batches_of(app, events, 10) == [[7]]


async def test_a_batch_that_outlived_its_partitions_finishes_nothing(app: App):
    stream = app.stream(app.channel())
    generator = stream.batches("transform", 10)
    first = asyncio.ensure_future(anext(generator))
    await asyncio.sleep(0.01)
    stream.channel.queue.put_nowait(event(0))
    batch = await asyncio.wait_for(first, 1)
    app.consumer_generation_id += 1
    batch.finish()
    assert app.frontier.committable(IN) is None


async def test_an_abandoned_batch_finishes_nothing_and_is_no_longer_in_hand(app: App):
    stream = app.stream(app.channel())
    first = asyncio.ensure_future(anext(stream.batches("transform", 10)))
    await asyncio.sleep(0.01)
    stream.channel.queue.put_nowait(event(0))
    batch = await asyncio.wait_for(first, 1)
    batch.abandon()
    assert app.frontier.committable(IN) is None
    assert not app.progress.busy


def test_events_are_grouped_by_partition_in_order():
    events = [event(0), event(5, CDEVENTS), event(1)]
    groups = by_partition(events)
    assert {partition: [each.message.offset for each in group] for partition, group in groups.items()} == {
        0: [0, 1],
        1: [5],
    }


async def test_a_table_write_goes_to_the_partition_of_its_event_and_can_be_awaited(app: App):
    table = app.Table("placed", partitions=4)
    sent: list[tuple[Any, ...]] = []
    confirmation = SimpleNamespace(message=SimpleNamespace(partition=1))

    def send_soon(**fields: Any) -> Any:
        sent.append((fields["partition"], fields["key"], fields["value"]))
        return confirmation

    table.changelog_topic.send_soon = send_soon
    table._verify_source_topic_partitions = lambda _: None
    one = event(0, CDEVENTS)
    with table_partition(one):
        assert faust.streams.current_event() is one
        table["d"] = [1]
        assert table.get("d") == [1]
    assert sent == [(1, "d", [1])]
    assert table.take_pending() == [confirmation]
    assert table.take_pending() == []
    with pytest.raises(TypeError, match="outside of stream iteration"):
        table["e"] = [1]

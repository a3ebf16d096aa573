"""The consumer: how messages are handed over, what is committed, and when partitions are given up."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import faust.transport.consumer
import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from streams import consumer as module
from streams.consumer import App, Consumer, Transport
from tests.streams.messages import CDEVENTS, IN, message

StockConsumer = faust.transport.consumer.Consumer


async def test_the_application_uses_our_consumer(app: App):
    assert isinstance(app.transport, Transport)
    assert type(app.consumer) is Consumer


class Fetches:
    """Stands for ``getmany``: one list of messages for each poll, then nothing, until it is stopped."""

    def __init__(self, consumer: Consumer, *polls: list[Any]) -> None:
        self.polls = list(polls)
        self._stopped = asyncio.Event()
        consumer.getmany = self.getmany

    async def getmany(self, **_: Any) -> AsyncIterator[tuple[TP, Any]]:
        if not self.polls:
            self._stopped.set()
            return
        for each in self.polls.pop(0):
            yield each.tp, each


async def test_the_drain_hands_over_every_message_in_order(consumer: Consumer):
    seen: list[tuple[TP, int]] = []

    async def callback(each: Any) -> None:
        seen.append((each.tp, each.offset))

    consumer.callback = callback
    polls = [[message(0), message(7), message(0, CDEVENTS)], [], [message(8)]]
    await consumer._drain_messages(Fetches(consumer, *polls))
    assert seen == [(each.tp, each.offset) for poll in polls for each in poll]
    assert consumer._read_offset[IN] == 8


async def test_the_drain_passes_over_what_was_read_before(consumer: Consumer):
    """After a rebalance the position may lie before what is known to have been read."""
    seen: list[int] = []

    async def callback(each: Any) -> None:
        seen.append(each.offset)

    consumer.callback = callback
    consumer._read_offset[IN] = 5
    await consumer._drain_messages(Fetches(consumer, [message(3), message(4), message(5), message(6)]))
    assert seen == [5, 6]


async def test_the_drain_stops_in_the_middle_of_a_poll_when_the_flow_is_suspended(consumer: Consumer):
    """The rest is read again by whoever has the partition next."""
    seen: list[int] = []
    full = asyncio.Event()

    async def callback(each: Any) -> None:
        seen.append(each.offset)
        if len(seen) == 3:
            full.set()
            await asyncio.Event().wait()  # the stage's queue is full and stays so

    consumer.callback = callback
    fetches = Fetches(consumer, [message(n) for n in range(10)])
    drain = asyncio.create_task(consumer._drain_messages(fetches))
    await full.wait()
    consumer.stop_flow()
    await asyncio.wait_for(drain, 5)
    assert seen == [0, 1, 2]
    assert consumer._read_offset[IN] == 1  # the third was not taken


async def test_the_drain_lets_others_run_during_a_long_poll(consumer: Consumer):
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def callback(_: Any) -> None:
        return None

    consumer.callback = callback
    task = asyncio.create_task(other())
    await consumer._drain_messages(Fetches(consumer, [message(n) for n in range(1000)]))
    task.cancel()
    assert turns >= 10


class Seeking:
    """A consumer after an assignment: partition 0 was committed at 5, partition 1 never."""

    def __init__(self, consumer: Consumer, *, error: Exception | None = None) -> None:
        self.done: list[Any] = []
        self.error = error
        consumer.assignment = lambda: {IN, FRESH, CHANGELOG}
        consumer._is_changelog_tp = lambda tp: tp == CHANGELOG
        consumer.seek_to_committed = self.seek_to_committed
        consumer.earliest_offsets = self.earliest_offsets
        consumer.highwaters = self.highwaters
        consumer.seek_wait = self.seek_wait
        consumer._seek_due = True

    async def seek_to_committed(self) -> dict[TP, int | None]:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.done.append("committed")
        return {IN: 5, FRESH: None, CHANGELOG: None}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 2)

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 9)

    async def seek_wait(self, offsets: dict[TP, int]) -> None:
        self.done.append(offsets)


FRESH, CHANGELOG = TP("cloudevents", 1), TP("g1-placed-changelog", 0)


async def offsets_handed_over(consumer: Consumer, *polls: list[Any]) -> list[tuple[TP, int]]:
    seen: list[tuple[TP, int]] = []

    async def callback(each: Any) -> None:
        seen.append((each.tp, each.offset))

    consumer.callback = callback
    await consumer._drain_messages(Fetches(consumer, *polls))
    return seen


async def test_after_an_assignment_the_drain_seeks_before_it_hands_over(consumer: Consumer):
    """Also where nothing was committed: what was fetched meanwhile was passed over."""
    seeking = Seeking(consumer)
    assert await offsets_handed_over(consumer, [message(5), message(2, FRESH)]) == [(IN, 5), (FRESH, 2)]
    assert seeking.done == ["committed", {FRESH: 2}]
    assert consumer._committed_offset[IN] == 5


async def test_during_a_rebalance_only_changelogs_are_handed_over(app: App, consumer: Consumer):
    """The stages' queues are emptied at its end, and nothing would read the events again."""
    seeking = Seeking(consumer)
    app.rebalancing = True
    polls = [[message(5), message(0, CHANGELOG), message(3, FRESH)]]
    assert await offsets_handed_over(consumer, *polls) == [(CHANGELOG, 0)]
    assert seeking.done == []


async def test_an_assignment_and_faust_itself_make_a_seek_due(consumer: Consumer, monkeypatch):
    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(StockConsumer, "on_partitions_assigned", nothing)
    await consumer.on_partitions_assigned({IN}, 3)
    assert consumer._seek_due
    consumer._seek_due = False
    await consumer.perform_seek()
    assert consumer._seek_due


@pytest.mark.parametrize("error", [IllegalStateError("not assigned"), AssertionError("no partitions")])
async def test_a_seek_that_a_rebalance_interrupts_is_done_again(consumer: Consumer, monkeypatch, error):
    monkeypatch.setattr("streams.consumer.SEEK_PAUSE", 0)
    seeking = Seeking(consumer, error=error)
    assert await offsets_handed_over(consumer, [message(7)], [message(5)]) == [(IN, 5)]
    assert seeking.done == ["committed", {FRESH: 2}]


async def test_a_worker_without_partitions_has_nothing_to_seek(consumer: Consumer):
    seeking = Seeking(consumer)
    consumer.assignment = set
    assert await offsets_handed_over(consumer, []) == []
    assert seeking.done == []
    assert not consumer._seek_due


async def test_the_offset_to_commit_is_the_frontiers(app: App, consumer: Consumer):
    app.frontier.advance("transform", IN, 0)
    app.frontier.advance("record", CDEVENTS, 9)
    assert set(consumer._filter_tps_with_pending_acks()) == {IN, CDEVENTS}
    assert list(consumer._filter_tps_with_pending_acks({IN})) == [IN]
    assert list(consumer._filter_tps_with_pending_acks({"cdevents"})) == [CDEVENTS]
    assert consumer._new_offset(IN) == 1
    assert consumer._new_offset(CDEVENTS) is None  # measure has not finished anything


async def test_stock_faust_would_commit_past_a_message_that_nobody_has_finished(consumer: Consumer):
    """Why the frontier is there. When this fails, Faust has mended its check (faust issue 606)."""
    consumer._acked[IN] = [2586, 2587, 2588, 2589]
    consumer._committed_offset[IN] = 2585
    assert StockConsumer._new_offset(consumer, IN) == 2590


class Committing:
    """A consumer with an assignment whose commits end as ``answers`` say."""

    def __init__(self, app: App, consumer: Consumer, *answers: bool) -> None:
        self.offsets: list[dict[TP, int]] = []
        self.answers = list(answers)
        consumer.assignment = lambda: {IN, CDEVENTS}
        consumer._commit = self._commit
        app.tables.on_commit = lambda _: None
        app.producer.flush = self._flush

    async def _flush(self) -> None:
        return None

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.offsets.append(dict(offsets))
        return self.answers.pop(0)


async def test_a_commit_that_failed_is_made_again(app: App, consumer: Consumer):
    committing = Committing(app, consumer, False, True)
    app.frontier.advance("transform", IN, 4)
    assert not await consumer.force_commit()
    assert consumer._committed_offset[IN] is None
    assert await consumer.force_commit()
    assert consumer._committed_offset[IN] == 5
    assert committing.offsets == [{IN: 5}, {IN: 5}]


async def test_stock_faust_would_remember_a_failed_commit_as_made(app: App, consumer: Consumer):
    """Why ``_commit_offsets`` is there."""
    Committing(app, consumer, False)
    assert not await StockConsumer._commit_offsets(consumer, {IN: 5})
    assert consumer._committed_offset[IN] == 5


async def test_what_was_committed_is_not_committed_again(app: App, consumer: Consumer):
    committing = Committing(app, consumer, True, True)
    app.frontier.advance("transform", IN, 4)
    await consumer.force_commit()
    await consumer.force_commit()
    app.frontier.advance("transform", IN, 5)
    await consumer.force_commit()
    assert committing.offsets == [{IN: 5}, {IN: 6}]


async def test_partitions_are_given_up_when_their_batches_are_finished_and_committed(
    app: App, consumer: Consumer
):
    committing = Committing(app, consumer, True)
    app.progress.begin("transform")
    leaving = asyncio.create_task(app._consumer_wait_empty(consumer, None))
    await asyncio.sleep(0.01)
    assert not leaving.done()
    app.frontier.advance("transform", IN, 4)
    app.progress.end("transform")
    await asyncio.wait_for(leaving, 1)
    assert committing.offsets == [{IN: 5}]
    assert app.frontier.partitions() == []


class Full:
    """A consumer whose stage has a full queue: the queue's partition is left out of what is fetched."""

    def __init__(self, app: App, consumer: Consumer, *, active: set[TP]) -> None:
        self.asked: list[float] = []
        self.slept: list[float] = []
        app.progress.begin("transform")
        consumer.flow_active = True
        consumer._buffered_partitions = {IN}
        consumer._get_active_partitions = lambda: active
        consumer.assignment = set
        consumer._getmany = self.getmany
        consumer.sleep = self.sleep

    async def getmany(self, *, timeout: float, **_: Any) -> dict[TP, Any]:  # noqa: ASYNC109 - Faust's name
        self.asked.append(timeout)
        return {}

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_full_queue_is_not_waited_for_longer_than_it_takes(app: App, consumer: Consumer):
    full = Full(app, consumer, active={CDEVENTS})
    await consumer._drain_once()
    assert full.asked == [module.SOON]
    app.progress.end("transform")
    await consumer._drain_once()  # nobody works on a queue: it is not full any more
    assert full.asked == [module.SOON, module.LONGEST_WAIT]


async def test_nor_when_every_partition_is_left_out(app: App, consumer: Consumer):
    full = Full(app, consumer, active=set())
    began = time.monotonic()
    await consumer._drain_once()
    assert time.monotonic() - began < 0.5
    assert full.slept == full.asked == []


async def test_stock_faust_would_wait_a_second(app: App, consumer: Consumer):
    """Why ``_wait_next_records`` is there."""
    full = Full(app, consumer, active=set())
    await StockConsumer._wait_next_records(consumer, module.SOON)
    assert full.slept == [1]


async def test_an_event_is_made_of_its_message_and_copies_no_headers(app: App):
    """Headers may be repeated, which stock Faust's copy loses; and making it takes as long as the rest."""
    one = message(0, key=b"k", headers=[("a", b"1"), ("a", b"2")])
    made = app.create_event(b"k", b"v", one.headers, one)
    assert type(made) is app.conf.Event
    assert (made.key, made.value, made.headers) == (b"k", b"v", {})
    assert made.message.headers == [("a", b"1"), ("a", b"2")]

"""Faust, with the parts replaced that would lose events or waste time.

Nine overrides, each covered by tests/streams/test_overrides.py, which fails when Faust changes underneath:

* ``Consumer._drain_messages``: stock Faust makes four tasks for every message; here four for every poll.
* ``Consumer._new_offset`` and ``_filter_tps_with_pending_acks``: what may be committed is the ``Frontier``,
  not Faust's set of acked offsets, whose gap check is off by one and absent at offset 0.
* ``Consumer._wait_next_records``: stock Faust never commits past what is no record for it, such as the marker
  that ends a transaction, so that a topic whose last entry is one would seem unfinished for ever. And while a
  stage's queue is full it waits a second for other partitions, or for none; the queue is empty long before.
* ``Consumer._commit_offsets``: a commit that failed is not remembered as made.
* ``Consumer.perform_seek``: stock Faust seeks while it fetches, and empties the stages' queues afterwards;
  what came in between is never read again. Here the drain itself seeks, before it hands over anything.
  Where the committed place is no longer on the topic, reading begins with the first record that is.
* ``Assignor._get_copartitioned_groups``: stock Faust leaves a missing topic out and reads the others; events
  that arrive on it when it is back would wait for a metadata refresh. Here the worker ends and says which.
* ``Consumer.verify_all_partitions_active``: left out. It looks for signs that batches do not give, and
  crashes the worker when a rebalance begins under its eyes; streams/watchdog.py does its work.
* ``App.create_event``: stock Faust looks the class up in its settings and copies the headers, for every
  message; a stage reads them from the message.
* ``App._consumer_wait_empty``: a partition is given up only when no stage is working on it any more.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.assignor.partition_assignor import PartitionAssignor
from faust.transport.consumer import CONSUMER_FETCHING
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.frontier import Frontier
from streams.progress import EXIT_STUCK, exit_now

# Messages handed over before other tasks get the event loop: small enough to answer probes in time.
YIELD_EVERY = 100
LONGEST_WAIT = 1.0  # seconds that a poll waits for records
# Seconds that it waits while a stage's queue is full, whose partitions are left out until most of it is done:
# then it does not wait for records only. A full queue is a fifth of a second's work.
SOON = 0.02
GAP_INTERVAL = 1.0  # seconds between looks for gaps that nothing fills
SEEK_PAUSE = 0.2  # seconds before a seek is tried again that a rebalance interrupted

log = structlog.get_logger(__name__)


class Consumer(driver.Consumer):
    """Faust's consumer with a leaner drain, committing the frontier."""

    # Until it is done after an assignment, events are passed over: they are read again from where it leads.
    _seek_due = True
    _gaps_looked_for = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The last offset that was handed over since the last seek, of each partition.
        self._handed: dict[TP, int] = {}

    async def _deliver(self, tp: TP, message: Any, messages: AsyncIterator[tuple[TP, Any]]) -> None:
        read_offset, callback, delivered = self._read_offset, self.callback, 0
        while True:
            seen = read_offset[tp]
            if self._seek_due and not self._is_changelog_tp(tp):
                pass
            elif seen is None or message.offset >= seen:
                await callback(message)
                read_offset[tp] = self._handed[tp] = message.offset
            delivered += 1
            if delivered % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            try:
                tp, message = await anext(messages)
            except StopAsyncIteration:
                return

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand over what the fetcher brings until it is stopped; one race with ``suspend_flow`` per poll."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                self.diag.set_flag(CONSUMER_FETCHING)
                self.app.progress.beat("poll")
                await self.sleep(0)
                if not self.should_stop:
                    await self._drain_once()
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise
        finally:
            self.diag.unset_flag(CONSUMER_FETCHING)

    async def _drain_once(self) -> None:
        if self._seek_due and not self.app.rebalancing:
            await self._seek_streams()
        is_full = self._buffered_partitions and self.app.progress.busy
        messages = self.getmany(timeout=SOON if is_full else LONGEST_WAIT)
        try:
            tp, message = await anext(messages)
            await self.wait_first(self._deliver(tp, message, messages), self.suspend_flow.wait())
        except StopAsyncIteration:
            return
        finally:
            with suppress(RuntimeError):  # still running inside the task that the suspension cancelled
                await messages.aclose()

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust calls it so
        if self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            await asyncio.sleep(timeout)  # every partition's queue is full
            return {}, set()
        records, active = await super()._wait_next_records(timeout)
        if records is not None and time.monotonic() > self._gaps_looked_for + GAP_INTERVAL:
            self._gaps_looked_for = time.monotonic()
            self._pass_gaps(records)
        return records, active

    def _pass_gaps(self, fetched: Any) -> None:
        """Take for finished what lies between the last record that was handed over and the next to come."""
        if self._seek_due or self.app.rebalancing or not self.flow_active:
            return
        for tp in self.assignment():
            if tp in fetched or tp.topic not in self.app.frontier.topics:
                continue  # what was fetched just now is not handed over yet
            position = self._fetch_position(tp)
            if position is not None and position > (self._committed_offset.get(tp) or 0):
                self.app.frontier.pass_gap(tp, self._handed.get(tp), position)

    def _fetch_position(self, tp: TP) -> int | None:
        """Where aiokafka goes on: after the last entry that it has looked at, be it a record or none."""
        assigned = self._thread._ensure_consumer()._subscription.subscription.assignment
        state = None if assigned is None else assigned.state_value(tp)
        return int(state.position) if state is not None and state.has_valid_position else None

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take over partitions, of which nothing is handed over before the seek."""
        self._seek_due = True
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Have the drain seek at its next turn, when it cannot fetch and nobody will empty a queue."""
        self._seek_due = True

    async def verify_all_partitions_active(self) -> None:
        """Leave it to the watchdog."""

    async def _seek_streams(self) -> None:
        self._seek_due = False  # a rebalance that begins meanwhile makes it due again
        self._handed.clear()
        try:
            if self.assignment():
                await super().perform_seek()
                await self._seek_to_records()
        except (KafkaError, AssertionError) as error:  # assertions are how aiokafka says "not assigned"
            self._seek_due = True
            log.warning("consumer.seek_again", error=type(error).__name__)
            await asyncio.sleep(SEEK_PAUSE)

    async def _seek_to_records(self) -> None:
        """Go to the first record of a partition whose committed place is none of its records (any more).

        aiokafka would do so at the first fetch, but then ``_read_offset`` would have the drain pass over all
        that comes before the old place, and nothing below it could ever be committed.
        """
        partitions = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        first, end = await self.earliest_offsets(*partitions), await self.highwaters(*partitions)
        places = {tp: self._committed_offset.get(tp) or 0 for tp in partitions}
        outside = {
            tp: first[tp] for tp in partitions if not first[tp] <= places[tp] <= end[tp] or places[tp] <= 0
        }
        for tp in outside:
            if places[tp] > 0:
                tell_of_place(tp, places[tp], first[tp], end[tp])
            self._committed_offset[tp] = self._read_offset[tp] = None
        if outside:
            await self.seek_wait(outside)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in self.app.frontier.partitions()
            if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        offset: int | None = self.app.frontier.committable(tp)
        return offset

    async def _commit_offsets(self, offsets: Any, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed = bool(await super()._commit_offsets(offsets, start_new_transaction))
        if not committed:
            self._committed_offset.update(before)
        return committed


def tell_of_place(tp: TP, place: int, first: int, end: int) -> None:
    """Say aloud that the topic does not have what was to be read next; docs/guarantees.md, "Expired"."""
    where = {"topic": tp.topic, "partition": tp.partition, "committed": place, "first": first, "end": end}
    if place < first:
        log.error("consumer.records_expired", records=first - place, **where)
    else:
        log.error("consumer.another_topic", **where)


class Assignor(PartitionAssignor):
    """Faust's assignor, which leaves no topic out."""

    @classmethod
    def _get_copartitioned_groups(cls, topics: Any, cluster: Any, subscriptions: Any) -> Any:
        if missing := sorted(topic for topic in topics if not cluster.partitions_for_topic(topic)):
            exit_now(EXIT_STUCK, "worker.topics_missing", topics=missing, advice="run: dora topics")
        return super()._get_copartitioned_groups(topics, cluster, subscriptions)


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer


class App(faust.App):
    """A Faust application that commits a frontier and never abandons a batch half done."""

    def __init__(self, *args: Any, frontier: Frontier, progress: Any, **options: Any) -> None:
        self.frontier = frontier
        self.progress = progress
        super().__init__(*args, PartitionAssignor=Assignor, **options)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def create_event(self, key: Any, value: Any, headers: Any, message: Any) -> Any:  # noqa: ARG002
        """The event of a message, without headers of its own."""
        return faust.Event(self, key, value, None, message)

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:  # noqa: ARG002
        """Before partitions are given up: let every stage finish its batch, then commit what is done.

        A stage that cannot finish (PostgreSQL is down) would go on writing state for a partition that
        belongs to somebody else by then, so the process ends instead, without acknowledging anything.
        """
        await self.progress.wait_until_idle()
        await consumer.commit()
        self.frontier.clear()

"""Faust's parts that are replaced, or relied upon from outside its interface, are still what they were.

A digest that changed means: read what Faust does there now, read ours beside it, and only then write down the
new digest. What each override is for is shown in test_consumer.py and test_batches.py.
"""

import hashlib
import inspect
from importlib.metadata import version
from typing import Any

import faust
import faust.channels
import faust.streams
import faust.tables.base
import faust.tables.table
import faust.transport.consumer
import pytest
from faust.app.base import App as StockApp
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver

StockConsumer = faust.transport.consumer.Consumer
StockStream = faust.streams.Stream
StockTable = faust.tables.base.Collection
StockChannel = faust.channels.Channel

SEEKING = "streams.consumer.Consumer.perform_seek: events are handed over only after the drain's own seek"
COMMITTING = "streams.consumer.Consumer: what is committed is the frontier, in one place, once"
DRAINING = "streams.consumer.Consumer._drain_messages"
GAPS = "streams.consumer.Consumer._wait_next_records: what is fetched is handed over before the next fetch"
LEAVING = "streams.consumer.App._consumer_wait_empty: partitions are given up only when every stage is idle"
BATCHING = "streams.batches.Stream.batches: it reads the channel's queue as Stream's own iterator does"
EVENTS = "streams.consumer.App.create_event: an event is made of its message, and of nothing else"
DECODING = "streams.tables.Topic: bytes are decoded into an event as they are"
TABLES = "streams.tables.Table: every changelog write passes send_changelog, in the partition of the event"
RECOVERING = "streams.tables.Table.apply_changelog_batch: what cannot be read ends the process"

LEFT = "streams.recovery.Recovery.need_recovery: asked after each record, which was taken off the queue"

REPLACED = [
    (StockConsumer._drain_messages, "44a2500309e83c63", DRAINING),
    (
        PartitionAssignor._get_copartitioned_groups,
        "82b7a3764ad596f6",
        "streams.consumer.Assignor: no topic is left out",
    ),
    (StockTable.apply_changelog_batch, "b980a78d3ae9b1e8", RECOVERING),
    (StockConsumer.getmany, "4b168d84882a70d6", DRAINING),
    (StockConsumer._wait_next_records, "6218e1969a636b3f", GAPS),
    (StockConsumer.wait_first, "feade6a31f8a6789", DRAINING),
    (StockConsumer.stop_flow, "cf7e875a2b0d40e8", DRAINING),
    (StockConsumer.perform_seek, "0e8c130ff4b0afd8", SEEKING),
    (StockConsumer.on_partitions_assigned, "29ce96596f05a18c", SEEKING),
    (
        StockConsumer.verify_all_partitions_active,
        "4e0e46f5c297305d",
        "streams/watchdog.py, which does its work",
    ),
    (Recovery.on_recovery_completed, "6ef567acf072e46d", SEEKING),
    (Recovery.need_recovery, "fd1dc345b5d5e121", LEFT),
    (Recovery._slurp_changelogs.fun, "7825c7e50f766d5a", LEFT),
    (TableManager.recovery.fget, "f0bf5de78b4c3d23", LEFT),
    (Recovery._resume_streams, "d986a6710c1aca98", SEEKING),
    (StockApp.on_rebalance_end, "b7ff69e1e3772f30", SEEKING),
    (StockConsumer._new_offset, "1d2c7ea89a7ad4f1", COMMITTING),
    (StockConsumer._should_commit, "5ce941793947ad42", COMMITTING),
    (StockConsumer._filter_tps_with_pending_acks, "f6f9239774234e7e", COMMITTING),
    (StockConsumer._commit_offsets, "1a69799041188441", COMMITTING),
    (StockConsumer._commit_tps, "a20e230b05ae8b15", COMMITTING),
    (StockConsumer.force_commit, "cc094614d22c70fb", COMMITTING),
    (driver.Consumer._commit, "a20eec84e4b2ed50", COMMITTING),
    (StockApp._consumer_wait_empty, "6bc313c48c064b16", LEAVING),
    (StockApp._on_partitions_revoked, "d5c895bbe57dc73a", LEAVING),
    (StockApp._on_partitions_assigned, "de932b7927db85b3", LEAVING),
    (StockApp._stop_consumer, "55854a5de12c3f52", LEAVING),
    (StockApp.create_event, "15fea3d1e95e6625", EVENTS),
    (faust.Event.__init__, "a1d3454dce427003", EVENTS),
    (faust.Topic._compile_decode, "6474178f8c211c05", DECODING),
    (faust.Schema.compile, "d46eec5ce3195b2c", DECODING),
    (StockApp._new_transport, "42db531312dd776f", "streams.consumer.App._new_transport"),
    (StockStream._py_aiter, "3a48ee257a65435b", BATCHING),
    (StockStream._channel_stop_iteration, "ff1df01f515725a7", BATCHING),
    (StockChannel.__anext__, "f69e22c24fc82852", BATCHING),
    (faust.streams.current_event, "3b821f1a78d86a58", "streams.batches.table_partition sets what this reads"),
    (StockTable.send_changelog, "3dd3884e1b5fc0e1", TABLES),
    (StockTable.partition_for_key, "3b2291811b8dd791", TABLES),
    (StockTable._on_changelog_sent, "60122c86a120d82c", TABLES),
    (faust.tables.table.Table.on_key_set, "a370e35ca55c2c7e", TABLES),
    (faust.tables.table.Table.on_key_del, "4f2900b2f9d24a08", TABLES),
]


def digest_of(function: Any) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("function", "digest", "ours"), REPLACED, ids=[entry[0].__qualname__ for entry in REPLACED]
)
def test_faust_underneath_is_what_the_override_was_written_for(function, digest, ours):
    assert digest_of(function) == digest, (
        f"{function.__qualname__} is another one in faust-streaming {version('faust-streaming')}:"
        f" compare it with {ours}, then put {digest_of(function)!r} here"
    )

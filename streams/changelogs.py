"""Changelog writes, confirmed; and a look at the records in between them that this process did not write."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from access.kafka import Cluster
from streams.pipeline import confirm
from streams.tables import Table


async def settle(cluster: Cluster, tables: Sequence[Table]) -> None:
    """Wait until every change of ``tables`` is confirmed, and what came in between is looked at.

    Raises ``Unconfirmed``, or what Kafka raises.
    """
    while pending := [confirmation for table in tables for confirmation in table.take_pending()]:
        await confirm(pending)
        for table in tables:
            for tp, offsets in table.foreign().items():
                table.look_at(tp, await read(cluster, tp, offsets))


async def read(cluster: Cluster, tp: TP, offsets: range) -> list[tuple[bytes, bytes]]:
    """(key, value) of the records of ``tp`` in ``offsets`` that compaction has left."""
    partition = TopicPartition(*tp)
    found: list[tuple[bytes, bytes]] = []
    async with _reading(cluster, partition, offsets.start) as consumer:
        while await consumer.position(partition) < offsets.stop:
            records = (await consumer.getmany(timeout_ms=1000)).get(partition, [])
            found += [(record.key, record.value) for record in records if record.offset in offsets]
    return found


@asynccontextmanager
async def _reading(
    cluster: Cluster, partition: TopicPartition, offset: int
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **cluster.options())
    await consumer.start()
    try:
        consumer.assign([partition])
        consumer.seek(partition, offset)
        yield consumer
    finally:
        await consumer.stop()

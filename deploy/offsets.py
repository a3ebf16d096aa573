"""How far a consumer group has come, and how long the topics are."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from access.kafka import Cluster

Positions = dict[TopicPartition, int]


class Offsets:
    """Looks at one group on one cluster; see ``watching``."""

    def __init__(self, group: str, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._group = group
        self._admin = admin
        self._consumer = consumer

    async def ends(self, topics: Iterable[str]) -> Positions:
        """The offset after the last record of each partition of ``topics``."""
        return dict(await self._consumer.end_offsets(await self._partitions(topics)))

    async def committed(self, topics: Iterable[str]) -> Positions:
        """What the group has committed for ``topics``; the beginning where it has committed nothing."""
        partitions = await self._partitions(topics)
        told = await self._admin.list_consumer_group_offsets(self._group, partitions=partitions)
        beginnings = await self._consumer.beginning_offsets(partitions)
        return {
            partition: max(told[partition].offset, beginnings[partition])
            if partition in told
            else beginnings[partition]
            for partition in partitions
        }

    async def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        described = await self._admin.describe_topics(list(topics))
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]


@asynccontextmanager
async def watching(kafka: Cluster, group: str) -> AsyncIterator[Offsets]:
    """An ``Offsets`` for ``group``, which it never joins."""
    admin = AIOKafkaAdminClient(**kafka.options())
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **kafka.options())
    await admin.start()
    await consumer.start()
    try:
        yield Offsets(group, admin, consumer)
    finally:
        await consumer.stop()
        await admin.close()


async def begin_group(kafka: Cluster, group: str, start: Positions) -> None:
    """Let ``group``, which must have no members, begin at ``start``."""
    consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **kafka.options())
    await consumer.start()
    try:
        consumer.assign(list(start))
        await consumer.commit({tp: OffsetAndMetadata(offset, "") for tp, offset in start.items()})
    finally:
        await consumer.stop()

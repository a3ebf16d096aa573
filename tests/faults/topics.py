"""What befalls topics and groups: made anew, emptied, cut short, forgotten."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

from access.kafka import Cluster
from schemas.topics import Topic
from tests.infra.production import Record, eventually


@asynccontextmanager
async def administering(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**kafka.options())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_anew(kafka: Cluster, topics: Iterable[Topic], partitions: int | None = None) -> None:
    """Delete topics with all that is on them, and create them empty."""
    wanted = list(topics)
    async with administering(kafka) as admin:
        await admin.delete_topics([topic.name for topic in wanted])

        async def created() -> bool:
            new = [
                NewTopic(t.name, partitions or t.partitions, 1, topic_configs=dict(t.config)) for t in wanted
            ]
            response = await admin.create_topics(new)
            errors = {for_code(error[1]) for error in response.topic_errors} - {for_code(0)}
            return not errors - {TopicAlreadyExistsError} if errors != {TopicAlreadyExistsError} else False

        await eventually(created, 20, "topics made anew")


async def forget_group(kafka: Cluster, group: str) -> None:
    """What a broker does to the offsets of a group that was not there for offsets.retention.minutes."""
    async with administering(kafka) as admin:
        coordinator = await admin.find_coordinator(group)
        response = await admin._client.send(coordinator, DeleteGroupsRequest([group]))
        for _, code in response.results:
            if code:
                raise for_code(code)(group)


async def expire(kafka: Cluster, topic: str, partitions: int, keep: int) -> int:
    """What retention does: remove all but the last ``keep`` records of each partition; how many are gone."""
    numbers = [TopicPartition(topic, number) for number in range(partitions)]
    consumer = AIOKafkaConsumer(**kafka.options())
    await consumer.start()
    try:
        ends = await consumer.end_offsets(numbers)
        beginnings = await consumer.beginning_offsets(numbers)
    finally:
        await consumer.stop()
    before = {tp: RecordsToDelete(max(beginnings[tp], end - keep)) for tp, end in ends.items()}
    async with administering(kafka) as admin:
        await admin.delete_records(before)
    return sum(before[tp].before_offset - beginnings[tp] for tp in numbers)


def copy(records: Iterable[ConsumerRecord]) -> list[Record]:
    """Records as they can be produced again."""
    return [(record.key, record.value, list(record.headers)) for record in records]

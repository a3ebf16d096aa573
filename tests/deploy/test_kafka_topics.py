"""Creating topics on a real broker."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from access.kafka import Cluster
from deploy.kafka_topics import TopicError, create
from schemas.topics import Topics
from tests.infra.servers import Infra
from tests.infra.topic_sets import delete_topics

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2)]


@pytest.fixture
async def absent(infra: Infra):
    """A table of topics of which none exists."""
    topics = Topics(partitions=2, prefix=f"t{uuid4().hex[:10]}.")
    yield topics
    await delete_topics(infra.kafka, topics.prefix)


async def make(infra: Infra, name: str, partitions: int, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
    finally:
        await admin.close()


async def test_all_topics_are_created_once(infra: Infra, absent: Topics) -> None:
    first = await create(Cluster(infra.kafka), absent.all(1))
    assert set(first.new) == {topic.name for topic in absent.all(1)}
    assert first.existing == ()
    again = await create(Cluster(infra.kafka), absent.all(1))
    assert again.new == ()
    assert set(again.existing) == set(first.new)


async def test_runs_at_the_same_time_agree(infra: Infra, absent: Topics) -> None:
    runs = await asyncio.gather(*(create(Cluster(infra.kafka), absent.all(1)) for _ in range(3)))
    made = [name for run in runs for name in run.new]
    assert sorted(made) == sorted(topic.name for topic in absent.all(1))


async def test_another_partition_count_is_an_error(infra: Infra, topics: Topics) -> None:
    with pytest.raises(TopicError, match=r"cloudevents has 2 partitions, expected 3: set DORA_PARTITIONS=2"):
        await create(Cluster(infra.kafka), topics.with_partitions(3).all(1))


async def test_a_changelog_that_is_not_compacted_is_an_error(infra: Infra, absent: Topics) -> None:
    await make(infra, absent.changelog("day", 1), 2, **{"cleanup.policy": "delete"})
    with pytest.raises(TopicError, match=r"day-changelog has cleanup.policy=delete, expected compact"):
        await create(Cluster(infra.kafka), absent.all(1))


async def test_a_broker_that_is_too_few_is_told(infra: Infra, absent: Topics) -> None:
    with pytest.raises(TopicError, match=r"(?i)replication factor"):
        await create(Cluster(infra.kafka), absent.all(1), replication_factor=3)

"""The topics of one test, under a prefix of its own."""

from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient

from access.kafka import Cluster
from deploy.kafka_topics import create
from schemas.topics import Topics


async def create_topics(kafka: str, partitions: int) -> Topics:
    """All topics of the table with a unique prefix."""
    topics = Topics(partitions=partitions, prefix=f"t{uuid4().hex[:10]}.")
    await create(Cluster(kafka), topics.all(1))
    return topics


async def delete_topics(kafka: str, prefix: str) -> None:
    """Remove every topic with this prefix, the ones of later generations included."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        names = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()

"""Gives topics more partitions, which a recompute then builds its tables for.

A key belongs to the partition that its hash names among so many. With more of them a key's records come to
another worker than the one whose tables know of it, so tables are never kept over a growth: it is part of a
recompute (`deploy.recompute`), whose generation has changelogs of its own with the new number. Topics that
outlive generations grow here, while no worker is there to take records of new partitions to old tables.
"""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from access.kafka import Cluster
from deploy.kafka_topics import TopicError, administering, wait_for_leaders
from schemas.topics import ROLES, Topics

EMPTY_STATES = {"Empty", "Dead"}


async def grow(kafka: Cluster, topics: Topics, generation: int) -> list[str]:
    """Give each topic that outlives ``generation`` the partitions of ``topics``; those that had fewer.

    Raises `TopicError`, and changes nothing, while a worker of that generation is there, or when a topic has
    more partitions already.
    """
    async with administering(kafka) as admin:
        fewer = await with_fewer(admin, topics)
        if fewer:
            await refuse_members(admin, topics.application(generation))
            await admin.create_partitions({name: NewPartitions(topics.partitions) for name in fewer})
            await wait_for_leaders(admin, fewer)
        return fewer


async def with_fewer(admin: AIOKafkaAdminClient, topics: Topics) -> list[str]:
    """The topics with fewer partitions than they should have."""
    described = await admin.describe_topics([topics[role] for role in ROLES])
    found = {each["topic"]: len(each["partitions"]) for each in described}
    for name, partitions in found.items():
        if partitions > topics.partitions:
            raise TopicError(f"topic {name} has {partitions} partitions, and Kafka takes none away")
    return sorted(name for name, partitions in found.items() if partitions < topics.partitions)


async def refuse_members(admin: AIOKafkaAdminClient, group: str) -> None:
    """Raise `TopicError` while somebody is in a group."""
    answers: list[Any] = await admin.describe_consumer_groups([group])
    states = {told[2] for answer in answers for told in answer.groups}
    if states - EMPTY_STATES:
        raise TopicError(
            f"a worker is in the group {group}: wait until nothing is left to do, stop all workers, and run"
            " this again; the ingress may go on"
        )

"""Removes what generations that are over have left on Kafka: changelogs, replay topics, consumer groups.

Only PostgreSQL knows which generations are over, and only their numbers are put into names; a topic is never
found by looking at what is there. A group that has members is in use, whatever PostgreSQL says, and then
nothing of its generation is removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupIdNotFound, NonEmptyGroup, for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

from access.kafka import Cluster
from deploy.kafka_topics import TopicError, administering
from deploy.migrations import connect
from schemas.topics import TABLES, Topics

GONE = {0, GroupIdNotFound.errno}


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, and which generations are left alone because somebody still works for them."""

    removed: tuple[str, ...]
    in_use: tuple[int, ...]


async def prune(kafka: Cluster, postgres: str, topics: Topics) -> Pruned:
    """Remove everything of every generation that is over. Done again, it does nothing."""
    over = await generations_over(postgres)
    removed: list[str] = []
    in_use: list[int] = []
    async with administering(kafka) as admin:
        existing = set(await admin.list_topics())
        for number in over:
            if await delete_group(admin, topics.application(number)):
                removed += await delete(admin, existing.intersection(own_topics(topics, number)))
            else:
                in_use.append(number)
    return Pruned(tuple(removed), tuple(in_use))


async def generations_over(postgres: str) -> list[int]:
    """The numbers of the generations that nobody shall work for any more, those before the active one."""
    connection = await connect(postgres)
    try:
        rows = await connection.fetch(
            "SELECT generation FROM generations WHERE state IN ('retired', 'failed')"
            " AND generation < (SELECT generation FROM generations WHERE state = 'active') ORDER BY 1"
        )
        return [int(row["generation"]) for row in rows]
    finally:
        await connection.close()


def own_topics(topics: Topics, number: int) -> set[str]:
    """The topics that belong to one generation alone."""
    return {topics.replay(number), *(topics.changelog(table, number) for table in TABLES)}


async def delete_group(admin: AIOKafkaAdminClient, group: str) -> bool:
    """Delete a consumer group, if nobody is in it; whether it is gone."""
    coordinator = await admin.find_coordinator(group)
    # The admin client has no method for it.
    answer: Any = await admin._send_request(DeleteGroupsRequest([group]), coordinator)  # noqa: SLF001
    ((_, code),) = answer.results
    if code == NonEmptyGroup.errno:
        return False
    if code not in GONE:
        raise for_code(code)(f"group {group}")
    return True


async def delete(admin: AIOKafkaAdminClient, names: Iterable[str]) -> Sequence[str]:
    """Delete topics that exist; their names."""
    wanted = sorted(names)
    if wanted:
        answer = await admin.delete_topics(wanted)
        for name, code, *_ in answer.topic_error_codes:
            if code:
                raise TopicError(f"topic {name} could not be deleted: {for_code(code).__name__}")
    return wanted

"""Creates the topics of schemas/topics.py on a broker, and refuses topics of another shape."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from access.kafka import Cluster
from access.kafka_trouble import trouble
from schemas.topics import Topic

TIMEOUT_MS = 30_000
LEADERS_TIMEOUT = 30.0  # seconds until every partition must have a leader
POLL = 0.05
CHECKED = ("cleanup.policy",)


class TopicError(Exception):
    """A topic cannot be created, or exists in a shape in which the pipeline would lose events."""


@asynccontextmanager
async def administering(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for topics and groups of a cluster. What Kafka raises meanwhile becomes a ``TopicError``."""
    admin = AIOKafkaAdminClient(request_timeout_ms=TIMEOUT_MS, **kafka.options())
    try:
        await admin.start()
        yield admin
    except KafkaConnectionError as error:
        raise TopicError(str(await trouble(kafka) or f"{kafka.servers}: {error}")) from error
    except KafkaError as error:
        raise TopicError(f"the broker at {kafka.servers} refused: {error}") from error
    finally:
        await admin.close()


@dataclass(frozen=True, slots=True)
class Created:
    """What was done: topics that are new, and topics that were there as they should be."""

    new: tuple[str, ...]
    existing: tuple[str, ...]


async def create(kafka: Cluster, topics: Iterable[Topic], *, replication_factor: int = 1) -> Created:
    """Create the missing ones of ``topics`` and return when every partition has a leader."""
    wanted = {topic.name: topic for topic in topics}
    async with administering(kafka) as admin:
        existing = wanted.keys() & set(await admin.list_topics())
        await check(admin, [wanted[name] for name in sorted(existing)])
        new = [topic for name, topic in wanted.items() if name not in existing]
        raced = await create_new(admin, new, replication_factor)
        await wait_for_leaders(admin, list(wanted))
        await check(admin, [wanted[name] for name in raced])
    made = tuple(topic.name for topic in new if topic.name not in raced)
    return Created(made, tuple(name for name in wanted if name not in made))


async def create_new(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication_factor: int
) -> list[str]:
    """Ask for new topics; the names among them that somebody else created meanwhile."""
    if not topics:
        return []
    requests = [
        NewTopic(topic.name, topic.partitions, replication_factor, topic_configs=dict(topic.config))
        for topic in topics
    ]
    answer = await admin.create_topics(requests, timeout_ms=TIMEOUT_MS)
    raced = []
    for name, code, *told in answer.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            raced.append(name)
        elif code:
            why = told[0] if told and told[0] else for_code(code).__name__
            raise TopicError(f"topic {name} could not be created: {why}")
    return raced


async def check(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    """Raise `TopicError` naming every existing topic whose partitions or cleanup differ from the table."""
    if not topics:
        return
    described = {
        each["topic"]: each for each in await admin.describe_topics([topic.name for topic in topics])
    }
    configured = await configuration(admin, [topic.name for topic in topics])
    faults = [
        fault
        for topic in topics
        for fault in differences(topic, len(described[topic.name]["partitions"]), configured[topic.name])
    ]
    if faults:
        raise TopicError("; ".join(faults))


def differences(topic: Topic, partitions: int, config: Mapping[str, str]) -> list[str]:
    """What is wrong with an existing topic, each as a sentence that says what to do."""
    faults = []
    if partitions != topic.partitions:
        faults.append(
            f"topic {topic.name} has {partitions} partitions, expected {topic.partitions}: "
            f"set DORA_PARTITIONS={partitions}, or use another DORA_TOPIC_PREFIX"
        )
    faults.extend(
        f"topic {topic.name} has {key}={config.get(key)}, expected {topic.config[key]}: "
        "alter it, or delete it if it holds nothing"
        for key in CHECKED
        if config.get(key) != topic.config[key]
    )
    return faults


async def configuration(
    admin: AIOKafkaAdminClient, names: Sequence[str], settings: Sequence[str] = CHECKED
) -> dict[str, dict[str, str]]:
    """These settings of each topic; those that are checked without it."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(settings)) for name in names]
    answers = [told for each in await admin.describe_configs(resources) for told in each.resources]
    refused = [f"{name}: {why or for_code(code).__name__}" for code, why, _, name, _ in answers if code]
    if refused:
        raise TopicError(
            f"the settings of topics cannot be read ({'; '.join(refused)}):"
            " dora topics --acls prints the rights that this takes"
        )
    return {name: {entry[0]: entry[1] for entry in entries} for _, _, _, name, entries in answers}


async def wait_for_leaders(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Return when clients would find a leader for each partition."""
    deadline = time.monotonic() + LEADERS_TIMEOUT
    while leaderless := [
        each["topic"] for each in await admin.describe_topics(list(names)) if not has_leaders(each)
    ]:
        if time.monotonic() > deadline:
            raise TopicError(
                f"no leader for {', '.join(leaderless)} after {LEADERS_TIMEOUT:.0f} s: is a broker missing?"
            )
        await asyncio.sleep(POLL)


def has_leaders(described: Mapping[str, Any]) -> bool:
    """Whether a described topic is known and each of its partitions has a leader."""
    partitions = described["partitions"]  # empty while the broker that answers has not heard of the topic
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)

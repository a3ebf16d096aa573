"""What must be there on Kafka before a worker begins: a way in, and every topic in the right shape.

Faust would wait for a missing topic for ever, and give up a table whose changelog has other partitions than
its source in the middle of a recovery; a worker that begins is alive to its supervisor.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest

from access.kafka_trouble import trouble
from streams.settings import Settings

log = structlog.get_logger(__name__)

# Seconds that a starting worker waits for a broker that does not answer, or whose topics are being made.
START_PATIENCE = 60.0
PAUSE = 1.0


class CannotBegin(RuntimeError):
    """Kafka is not ready for a worker; the message says what to do."""


async def wait_for_kafka(settings: Settings, generation: int) -> None:
    """Return when a worker of ``generation`` can begin. Raises ``CannotBegin``.

    A broker that is away is waited for; a wrong password, certificate or topic is told at once.
    """
    deadline = time.monotonic() + START_PATIENCE
    while (met := await trouble(settings.cluster)) is not None:
        if met.lasting or time.monotonic() > deadline:
            raise CannotBegin(met.reason)
        log.warning("worker.waiting_for_kafka", reason=met.reason)
        await asyncio.sleep(PAUSE)
    try:
        partitions = await partitions_of(settings, generation)
    except (KafkaError, OSError, TimeoutError) as error:
        raise CannotBegin(f"the topics at {settings.kafka} cannot be read: {error}") from error
    if wrong := list(faults(settings, generation, partitions)):
        raise CannotBegin("; ".join(wrong))


async def partitions_of(settings: Settings, generation: int) -> Mapping[str, int | None]:
    """The number of partitions of each topic that is needed: 0 if missing, ``None`` if it may not be read."""
    client = AIOKafkaClient(**settings.cluster.options())
    try:
        await client.bootstrap()
        # Not a question that creates what it asks for, as metadata requests are by default.
        question = MetadataRequest(needed(settings, generation), allow_auto_topic_creation=False)
        answer: Any = await client.send(client.get_random_node(), question)
    finally:
        await client.close()
    return {
        each["topic"]: None
        if each["error_code"] == TopicAuthorizationFailedError.errno
        else len(each["partitions"])
        for each in answer.to_object()["topics"]
    }


def needed(settings: Settings, generation: int) -> list[str]:
    """The topics that a worker reads or writes."""
    own = [topic.name for topic in settings.topics.all(generation)]
    return [*own, *(name for name in settings.inputs if name not in own)]


def faults(settings: Settings, generation: int, found: Mapping[str, int | None]) -> Iterator[str]:
    """What is wrong with the topics, each as a sentence that says what to do."""
    missing = [name for name in needed(settings, generation) if found.get(name) == 0]
    if missing:
        yield f"Kafka has no topic {', '.join(missing)}: run dora topics"
    forbidden = [name for name, partitions in found.items() if partitions is None]
    if forbidden:
        yield (
            f"Kafka does not let this identity use {', '.join(forbidden)}:"
            " dora topics --acls prints the rights it needs"
        )
    for topic in settings.topics.all(generation):
        partitions = found.get(topic.name)
        if partitions and partitions != topic.partitions:
            yield (
                f"topic {topic.name} has {partitions} partitions, expected {topic.partitions}, as many as the"
                f" others: set DORA_PARTITIONS={partitions} if all have them, else take another"
                " DORA_TOPIC_PREFIX"
            )

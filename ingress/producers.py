"""aiokafka's producer: made, asked whether it can publish, and ended within bounds."""

import asyncio
import contextlib
from collections.abc import Callable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    ProducerClosed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from access.kafka_trouble import trouble
from access.partitioner import choose_partition
from ingress.settings import Settings

START_TIMEOUT = 10.0  # seconds for one attempt to connect
PROBE_TIMEOUT = 3.0  # seconds for a broker to answer a question that costs it nothing
STOP_GRACE = 3.0  # seconds for waiting records to be delivered, and for each step after that
LINGER_MS = 2  # events that arrive together travel together
RETRY_BACKOFF_MS = 200
# Bytes of records of one partition that travel together. Kafka's usual 16 kB are three events of 5 kB, and a
# hundred that come at once would wait for one request after the other. Topics take more (``record_limit``).
LARGEST_BATCH = 512 * 1024


async def connect(new_producer: Callable[..., AIOKafkaProducer], settings: Settings) -> AIOKafkaProducer:
    """A started producer that knows the topic. Raises ``KafkaError``, ``OSError`` or ``TimeoutError``."""
    producer = new_producer(
        **settings.cluster.options(),
        client_id="dora-ingress",
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        partitioner=choose_partition,
        max_batch_size=min(LARGEST_BATCH, settings.message_limit),
        max_request_size=settings.message_limit,
        request_timeout_ms=int(settings.send_timeout * 1000),
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await producer.start()
            await producer.partitions_for(settings.topics["cloudevents"])
    except BaseException:
        await retire(producer)
        raise
    return producer


async def trouble_of(producer: AIOKafkaProducer, topic: str) -> str | None:
    """Why a connected producer cannot publish to ``topic`` now, in words for an operator."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            updated = await producer.client.force_metadata_update()
    except (KafkaError, OSError, TimeoutError):
        updated = False
    cluster = producer.client.cluster
    if not updated:
        return "the broker does not answer"
    if cluster.partitions_for_topic(topic):
        return None
    return no_right(topic) if topic in cluster.unauthorized_topics else no_topic(topic)


async def trouble_at_start(settings: Settings, error: BaseException) -> str:
    """Why ``connect`` failed with ``error``, in words for an operator."""
    topic = settings.topics["cloudevents"]
    # The second is said to an idempotent producer that may write nowhere.
    if isinstance(error, (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        return no_right(topic)
    if isinstance(error, UnknownTopicOrPartitionError):
        return no_topic(topic)
    found = await trouble(settings.cluster)
    return f"not connected to Kafka ({type(error).__name__})" if found is None else found.reason


def no_right(topic: str) -> str:
    """Kafka's authorizer is in the way."""
    return f"Kafka does not let this identity write to {topic}: dora topics --acls prints the rights it needs"


def no_topic(topic: str) -> str:
    """The topic is not there."""
    return f"Kafka has no topic {topic}: create it with dora topics"


async def retire(producer: AIOKafkaProducer) -> None:
    """Deliver what waits for ``STOP_GRACE`` seconds, then fail the rest and disconnect. Never raises."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_GRACE):
            await producer.stop()
            return
    # stop() waits for a broker that may never come back (aiokafka 1101) and cannot be told to give up, so
    # what it would have ended is ended piece by piece; otherwise its tasks and records would stay for ever.
    with contextlib.suppress(Exception):
        producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
    for close in (producer.client.close, producer._sender.close):  # noqa: SLF001
        with contextlib.suppress(Exception):
            async with asyncio.timeout(STOP_GRACE):
                await close()

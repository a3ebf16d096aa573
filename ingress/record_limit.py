"""Whether the topic takes the largest record that can arrive here.

Body cap, producer and broker have a limit each. Were the broker's the smallest, an event that was read whole
would be refused at the end; and a refusal by the broker costs all events in flight their producer.
"""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeConfigsRequest

from ingress.producers import PROBE_TIMEOUT
from ingress.settings import HEADROOM, Settings

TOPIC = 2  # the type of resource, in Kafka's protocol
LIMIT = "max.message.bytes"


async def trouble_with_size(producer: AIOKafkaProducer, settings: Settings) -> str | None:
    """What to change when the topic takes less than the producer sends; ``None`` when it takes enough.

    Also when the broker does not tell: the right DescribeConfigs on the topic is asked for, and not needed.
    """
    topic = settings.topics["cloudevents"]
    largest = await largest_record(producer, topic)
    if largest is None or largest >= settings.message_limit:
        return None
    return (
        f"topic {topic} takes records of {largest} bytes, a body of DORA_BODY_LIMIT may need"
        f" {settings.message_limit}: raise {LIMIT} to that, or set DORA_BODY_LIMIT to"
        f" {largest - HEADROOM} at most"
    )


async def largest_record(producer: AIOKafkaProducer, topic: str) -> int | None:
    """Bytes; ``None`` when the broker does not tell."""
    request = DescribeConfigsRequest([(TOPIC, topic, [LIMIT])])
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            answer = await producer.client.send(producer.client.get_random_node(), request)
    except (KafkaError, OSError, TimeoutError):
        return None
    for error, _, _, _, entries in answer.resources:
        for name, value, *_ in entries if not error else ():
            if name == LIMIT and value is not None:
                return int(value)
    return None

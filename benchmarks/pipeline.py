"""A whole pipeline for a benchmark: started on embedded parts, loaded, watched until all of it is done."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import uvloop
from aiokafka import AIOKafkaProducer

from access.kafka import Cluster
from benchmarks.http_load import Answers, send_all
from benchmarks.mix import DEPLOYED, Event
from deploy.kafka_topics import administering
from deploy.supervisor import Instance
from schemas.topics import Topics

PATIENCE = 1800.0  # seconds for a backlog
POLL = 0.1
PRODUCED_AT_ONCE = 5000


class Record(NamedTuple):
    """What is written to a topic; without a ``partition``, to that of its key."""

    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]
    partition: int | None = None


@contextmanager
def pipeline(folder: Path, *, workers: int = 1, quick: bool = False, **settings: str) -> Iterator[Instance]:
    """Everything of ``dora up``, with the broker's full JIT unless ``quick``."""
    with Instance(folder, workers=workers, quick=quick, settings=settings) as instance:
        yield instance


def load(instance: Instance, requests: Sequence[bytes], connections: int = 32) -> Answers:
    """Send everything to the ingress. Raises ``RuntimeError`` when something is refused."""
    answers = uvloop.run(send_all(instance.ingress.url + "/", requests, connections))
    if set(answers.statuses) != {202}:
        raise RuntimeError(f"not everything was accepted: {dict(answers.statuses)}")
    return answers


def deployments_of(events: Sequence[Event]) -> int:
    """How many of ``events`` are deployments, each of which counts once."""
    return sum(event.type == DEPLOYED for event in events)


def wait_counted(instance: Instance, deployments: int) -> None:
    """Return when the answer counts so many deployments and no worker has anything left to do."""
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=30, trust_env=False) as client:
        while counted(client, instance) < deployments or lag(client, instance) != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("the pipeline did not get through with what was sent")
            time.sleep(POLL)


def counted(client: httpx.Client, instance: Instance) -> int:
    """All deployments that the answer counts."""
    answer = client.get(f"{instance.query.url}/deploy-frequency/year").raise_for_status().json()
    return sum(row["Deployments"] for row in answer)


def lag(client: httpx.Client, instance: Instance) -> int | None:
    """Records that the workers have not finished; ``None`` while one of them cannot say."""
    told = [_lag_of(client, part) for name, part in instance.parts.items() if name.startswith("worker")]
    known = [each for each in told if each is not None]
    return sum(known) if len(known) == len(told) else None


def _lag_of(client: httpx.Client, part: Any) -> int | None:
    try:
        told = client.get(f"{part.url}/healthz").json()["lag"]
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    return sum(told.values()) if told else None


def wait_members(instance: Instance, number: int) -> None:
    """Return when the workers' group has so many members, which have all partitions among them."""
    asyncio.run(_wait_members(instance.kafka.address, number))


async def _wait_members(kafka: str, number: int) -> None:
    group, deadline = Topics().application(1), time.monotonic() + PATIENCE
    async with administering(Cluster(kafka)) as admin:
        while time.monotonic() < deadline:
            answers: list[Any] = await admin.describe_consumer_groups([group])
            states = [(told[2], len(told[5])) for answer in answers for told in answer.groups]
            if states == [("Stable" if number else "Empty", number)]:
                return
            await asyncio.sleep(1)
    raise RuntimeError(f"the group {group} does not come to {number} members")


def produce(kafka: str, topic: str, events: Iterator[Event], partitions: int) -> int:
    """Write events straight to a topic, confirmed, in turn to its partitions; how many."""
    records = (
        Record(None, event.body, event.kafka_headers(), number % partitions)
        for number, event in enumerate(events)
    )
    return asyncio.run(_produce(kafka, topic, records))


def produce_records(kafka: str, topic: str, records: Iterator[Record]) -> int:
    """Write records to a topic, confirmed; how many."""
    return asyncio.run(_produce(kafka, topic, records))


async def _produce(kafka: str, topic: str, records: Iterator[Record]) -> int:
    number, pending = 0, []
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5) as producer:
        for record in records:
            number += 1
            pending.append(
                await producer.send(topic, record.value, record.key, record.partition, headers=record.headers)
            )
            if len(pending) == PRODUCED_AT_ONCE:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)
    return number


def memory_of(process: psutil.Process) -> int:
    """Resident bytes."""
    return int(process.memory_info().rss)

"""The publisher when its producer misbehaves. Real brokers: test_kafka.py, test_broker_faults.py."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)

from ingress import producers, publisher
from ingress.publisher import KafkaPublisher, Overloaded, Record, RecordTooLarge, Unavailable, Unconfirmed
from ingress.settings import HEADROOM, Settings

RECORD = Record(b"k", b"v", [])


class Cluster:
    def __init__(self) -> None:
        self.partitions: set[int] | None = {0}

    unauthorized_topics: ClassVar[set[str]] = set()

    def partitions_for_topic(self, _topic: str) -> set[int] | None:
        return self.partitions


class Client:
    """The part of it that asks the broker."""

    def __init__(self, producer: "Producer") -> None:
        self.producer = producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.producer, name)

    def get_random_node(self) -> int:
        return 1

    async def send(self, _node: int, _request: Any) -> Any:
        if Producer.largest is None:
            return SimpleNamespace(resources=[(29, "TOPIC_AUTHORIZATION_FAILED", 2, "cloudevents", [])])
        entries = [("max.message.bytes", str(Producer.largest), False, 1, False, [])]
        return SimpleNamespace(resources=[(0, None, 2, "cloudevents", entries)])


class Producer:
    """As much of an AIOKafkaProducer as the publisher uses; its deliveries are confirmed by the test."""

    made: ClassVar[list["Producer"]] = []
    refuse_start: type[Exception] | None = None
    largest: int | None = 1_048_588  # what the topic takes

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.client = Client(self)
        self._sender = self._message_accumulator = self
        self.cluster = Cluster()
        self.sent: list[asyncio.Future[None]] = []
        self.error: Exception | None = None
        self.answers = True
        self.stopped = self.hangs = False
        Producer.made.append(self)

    async def start(self) -> None:
        if Producer.refuse_start is not None:
            raise Producer.refuse_start

    async def stop(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self.stopped = True

    async def close(self) -> None:
        self.stopped = True

    def fail_all(self, error: Exception) -> None:
        self.fail(error)

    async def partitions_for(self, _topic: str) -> set[int]:
        return {0}

    async def force_metadata_update(self) -> bool:
        return self.answers

    async def send(self, _topic: str, **_record: Any) -> asyncio.Future[None]:
        if self.error is not None:
            raise self.error
        future = asyncio.get_running_loop().create_future()
        self.sent.append(future)
        return future

    def confirm(self) -> None:
        for future in self.sent:
            future.set_result(None)
        self.sent.clear()

    def fail(self, error: Exception) -> None:
        for future in self.sent:
            future.set_exception(error)
        self.sent.clear()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "PROBE_EVERY", 0.02)
    monkeypatch.setattr(publisher, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(producers, "STOP_GRACE", 0.1)
    Producer.made, Producer.refuse_start, Producer.largest = [], None, 1_048_588


@pytest.fixture
async def kafka() -> AsyncIterator[KafkaPublisher]:
    settings = Settings(send_timeout=0.2, in_flight_limit=3, batch_limit=3)
    running = KafkaPublisher(settings, Producer)
    await running.start()
    await until(lambda: running.trouble() is None)
    yield running
    await running.stop()


async def until(check) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.005)


async def publishing(kafka: KafkaPublisher, number: int = 1) -> "asyncio.Task[None]":
    task = asyncio.create_task(kafka.publish([RECORD] * number))
    await asyncio.sleep(0.01)
    return task


async def test_the_producer_is_the_durable_kind(kafka: KafkaPublisher):
    options = Producer.made[0].options
    assert options["acks"] == "all"
    assert options["enable_idempotence"] is True


async def test_published_means_confirmed(kafka: KafkaPublisher):
    task = await publishing(kafka, 2)
    assert not task.done()
    assert kafka.in_flight == 2
    Producer.made[0].confirm()
    await task
    assert kafka.in_flight == 0


async def test_an_unconfirmed_record_fails_at_the_deadline_and_stays_in_flight(kafka: KafkaPublisher):
    with pytest.raises(Unconfirmed, match=r"0\.2 s"):
        await kafka.publish([RECORD])
    assert kafka.in_flight == 1
    Producer.made[0].confirm()
    await asyncio.sleep(0)
    assert kafka.in_flight == 0


async def test_k8_the_limit_refuses_at_once_and_publishes_nothing(kafka: KafkaPublisher):
    waiting = await publishing(kafka, 2)
    with pytest.raises(Overloaded):
        await kafka.publish([RECORD, RECORD])
    assert len(Producer.made[0].sent) == 2
    other = await publishing(kafka, 1)
    Producer.made[0].confirm()
    await asyncio.gather(waiting, other)


async def test_one_failed_record_fails_its_batch(kafka: KafkaPublisher):
    task = await publishing(kafka, 3)
    futures = Producer.made[0].sent
    futures[0].set_result(None)
    futures[1].set_exception(TopicAuthorizationFailedError("t"))
    futures[2].set_result(None)
    with pytest.raises(Unconfirmed, match="TopicAuthorizationFailed"):
        await task


async def test_k5_a_failed_delivery_replaces_the_producer(kafka: KafkaPublisher):
    first = await publishing(kafka)
    second = await publishing(kafka)
    Producer.made[0].fail(OutOfOrderSequenceNumber())
    for task in (first, second):
        with pytest.raises(Unconfirmed, match="OutOfOrderSequenceNumber"):
            await task
    await until(lambda: len(Producer.made) == 2 and kafka.trouble() is None)
    assert Producer.made[0].stopped
    third = await publishing(kafka)
    Producer.made[1].confirm()
    await third


async def test_k5_a_send_that_is_refused_replaces_the_producer_too(kafka: KafkaPublisher):
    Producer.made[0].error = OutOfOrderSequenceNumber()
    with pytest.raises(Unconfirmed):
        await kafka.publish([RECORD])
    assert kafka.in_flight == 0
    await until(lambda: len(Producer.made) == 2 and kafka.trouble() is None)


async def test_a_record_that_is_too_large_replaces_nothing(kafka: KafkaPublisher):
    Producer.made[0].error = MessageSizeTooLargeError()
    with pytest.raises(RecordTooLarge):
        await kafka.publish([RECORD])
    assert kafka.in_flight == 0
    await asyncio.sleep(0.1)
    assert len(Producer.made) == 1


async def test_k4_a_record_that_only_the_broker_finds_too_large(kafka: KafkaPublisher):
    task = await publishing(kafka)
    Producer.made[0].fail(MessageSizeTooLargeError())
    with pytest.raises(RecordTooLarge):
        await task


async def test_k9_cancelled_while_waiting_means_unknown(kafka: KafkaPublisher):
    task = await publishing(kafka)
    task.cancel()
    with pytest.raises(Unconfirmed):
        await task
    assert kafka.in_flight == 1
    Producer.made[0].confirm()


async def test_a_silent_broker_is_noticed_and_forgiven(kafka: KafkaPublisher):
    Producer.made[0].answers = False
    await until(lambda: kafka.trouble() == "the broker does not answer")
    with pytest.raises(Unavailable):
        await kafka.publish([RECORD])
    Producer.made[0].answers = True
    await until(lambda: kafka.trouble() is None)
    assert len(Producer.made) == 1


async def test_a_topic_that_went_away_is_noticed(kafka: KafkaPublisher):
    Producer.made[0].cluster.partitions = None
    await until(lambda: kafka.trouble() is not None)


async def test_addresses_are_asked_anew_after_a_long_silence(kafka: KafkaPublisher, monkeypatch):
    monkeypatch.setattr(publisher, "GIVE_UP_AFTER", 0.1)
    Producer.made[0].answers = False
    await until(lambda: len(Producer.made) > 1)


async def test_k1_without_a_broker_it_tries_until_there_is_one():
    Producer.refuse_start = KafkaConnectionError
    running = KafkaPublisher(Settings(), Producer)
    await running.start()
    await until(lambda: len(Producer.made) > 3)
    assert "no broker answers" in running.trouble()
    with pytest.raises(Unavailable):
        await running.publish([RECORD])
    Producer.refuse_start = None
    await until(lambda: running.trouble() is None)
    await running.stop()
    assert all(made.stopped for made in Producer.made)


async def test_b15_a_topic_that_takes_less_than_may_arrive_is_no_topic_to_be_ready_for():
    Producer.largest = 1_000_012  # Kafka's default before 2.0
    running = KafkaPublisher(Settings(), Producer)
    await running.start()
    await until(lambda: "DORA_BODY_LIMIT" in (running.trouble() or ""))
    assert "raise max.message.bytes to that" in running.trouble()
    assert str(1_000_012 - HEADROOM) in running.trouble()
    with pytest.raises(Unavailable):
        await running.publish([RECORD])
    Producer.largest = Settings().message_limit
    await until(lambda: running.trouble() is None)
    await running.stop()
    assert all(made.stopped for made in Producer.made)


async def test_b15_a_broker_that_does_not_tell_is_believed():
    Producer.largest = None
    running = KafkaPublisher(Settings(), Producer)
    await running.start()
    await until(lambda: running.trouble() is None)
    await running.stop()


async def test_stopping_is_bounded_and_leaves_no_task():
    before = asyncio.all_tasks()
    running = KafkaPublisher(Settings(), Producer)
    await running.start()
    await until(lambda: running.trouble() is None)
    Producer.made[0].hangs = True
    async with asyncio.timeout(2):
        await running.stop()
    assert running.trouble() == "stopped"
    assert asyncio.all_tasks() == before


async def test_stopping_before_it_connected():
    Producer.refuse_start = KafkaConnectionError
    running = KafkaPublisher(Settings(), Producer)
    await running.start()
    await running.stop()
    never = KafkaPublisher(Settings(), Producer)
    await never.stop()

"""Durable publishing: a record counts as published when the broker has confirmed it with ``acks=all``.

What aiokafka leaves open is closed here (docs/ingress.md, "When Kafka is in trouble"): an idempotent producer
never gives up, so every send has a deadline; nothing bounds what waits, so there is a limit; and once a
delivery failed, its sequence numbers have a gap that the producer never closes, so a new one replaces it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from ingress.producers import connect, retire, trouble_at_start, trouble_of
from ingress.record_limit import trouble_with_size
from ingress.settings import Settings

log = structlog.get_logger("ingress")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between two attempts to connect
PROBE_EVERY = 1.0  # seconds between two questions whether the broker answers
CANCEL_AGAIN = 1.0  # seconds
GIVE_UP_AFTER = 20.0  # seconds without an answer until the addresses are asked anew; longer than any send


class Record(NamedTuple):
    """One Kafka record for the ``cloudevents`` topic."""

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class NotPublished(Exception):
    """Some records were not confirmed; they may be on the topic all the same. Sending again is right."""


class Overloaded(NotPublished):
    """Too many records wait already; nothing was sent."""


class Unavailable(NotPublished):
    """There is no connection to a broker that could confirm; nothing was sent."""


class Unconfirmed(NotPublished):
    """Sent, and not confirmed in time or not at all."""


class RecordTooLarge(Exception):
    """A record is larger than Kafka takes. Sending it again is pointless."""


class Publisher(Protocol):
    """Where accepted events go."""

    async def start(self) -> None:
        """Begin to connect; does not wait for a broker."""

    async def stop(self) -> None:
        """Send what waits, for a bounded time, and disconnect."""

    async def publish(self, records: Sequence[Record], within: float | None = None) -> None:
        """Return when all ``records`` are confirmed, ``within`` so many seconds.

        Raises ``NotPublished`` or ``RecordTooLarge``.
        """

    def trouble(self) -> str | None:
        """Why nothing can be published now, in words for an operator; ``None`` when all is well."""

    @property
    def in_flight(self) -> int:
        """Records that were sent and are not confirmed, whether or not somebody still waits for them."""


class KafkaPublisher:
    """Publishes over one idempotent producer at a time.

    A watcher connects, asks every second whether the broker answers, and replaces a producer that failed.
    """

    def __init__(
        self, settings: Settings, new_producer: Callable[..., AIOKafkaProducer] = AIOKafkaProducer
    ) -> None:
        self._settings = settings
        self._topic = settings.topics["cloudevents"]
        self._new_producer = new_producer
        self._producer: AIOKafkaProducer | None = None
        self._trouble: str | None = "not connected to Kafka yet"
        self._broken = asyncio.Event()
        self._fitted = False
        self._in_flight = 0
        self._watcher: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """Records that were sent and are not confirmed, whether or not somebody still waits for them."""
        return self._in_flight

    def trouble(self) -> str | None:
        """Why nothing can be published now; ``None`` when all is well."""
        return self._trouble

    async def start(self) -> None:
        """Begin to connect; does not wait for a broker."""
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Send what waits, for a bounded time, and disconnect."""
        while self._watcher is not None and not self._watcher.done():
            self._watcher.cancel()
            # Again, if need be: aiokafka swallows a cancellation that meets it while it closes.
            await asyncio.wait([self._watcher], timeout=CANCEL_AGAIN)
        producer, self._producer, self._trouble = self._producer, None, "stopped"
        if producer is not None:
            await retire(producer)

    async def publish(self, records: Sequence[Record], within: float | None = None) -> None:
        """Return when the broker has confirmed all ``records``; without ``within`` it is ``send_timeout``."""
        patience = within or self._settings.send_timeout
        producer = self._producer
        if producer is None or self._trouble is not None:
            raise Unavailable(self._trouble or "not connected to Kafka")
        if self._in_flight + len(records) > self._settings.in_flight_limit:
            raise Overloaded(f"{self._in_flight} events wait for Kafka already")
        self._in_flight += len(records)
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(patience):
                for record in records:  # one by one: when one fails, those before it are still in flight
                    sent.append(await self._send(producer, record))  # noqa: PERF401
                if sent:
                    await asyncio.wait(sent)
        except TimeoutError:
            raise Unconfirmed(f"not confirmed within {patience:.3g} s") from None
        except asyncio.CancelledError:
            # The process is ending. The record may arrive or not, and the client has to be told so.
            raise Unconfirmed("the ingress was stopped before Kafka confirmed") from None
        finally:
            self._in_flight -= len(records) - len(sent)
        _check(sent)

    async def _send(self, producer: AIOKafkaProducer, record: Record) -> asyncio.Future[Any]:
        """Hand one record over; it is in flight until its future is done."""
        try:
            future: asyncio.Future[Any] = await producer.send(
                self._topic, value=record.value, key=record.key, headers=record.headers
            )
        except MessageSizeTooLargeError:
            raise RecordTooLarge(f"larger than {self._settings.message_limit} bytes") from None
        except KafkaError as error:
            self._break(error)
            raise Unconfirmed(type(error).__name__) from error
        future.add_done_callback(self._landed)
        return future

    def _landed(self, future: asyncio.Future[Any]) -> None:
        self._in_flight -= 1
        # Looking at the exception also marks it as seen, when nobody waits any more.
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if not self._broken.is_set():
            log.warning("publisher.delivery_failed", error=type(error).__name__)
            self._broken.set()

    async def _watch(self) -> None:
        """Connect, stay until the producer is of no more use, and begin again."""
        while True:
            producer = self._producer = await self._connect()
            self._broken.clear()
            self._say(None)
            await self._stay(producer)
            self._producer = None
            self._say("a new connection to Kafka is being made")
            await retire(producer)

    async def _connect(self) -> AIOKafkaProducer:
        pause = SHORTEST_PAUSE
        while True:
            try:
                producer = await connect(self._new_producer, self._settings)
                if await self._fits(producer):
                    return producer
                await retire(producer)
            except (KafkaError, OSError, TimeoutError) as error:
                self._say(await trouble_at_start(self._settings, error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _fits(self, producer: AIOKafkaProducer) -> bool:
        """Whether the topic takes what may arrive. Asked at start; later it would stop what still works."""
        if not self._fitted and (trouble := await trouble_with_size(producer, self._settings)) is not None:
            self._say(trouble)
            return False
        self._fitted = True
        return True

    async def _stay(self, producer: AIOKafkaProducer) -> None:
        """Return when a delivery failed, or when nobody has answered for too long."""
        now = asyncio.get_running_loop().time
        answered = now()
        while now() - answered < GIVE_UP_AFTER:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_EVERY):
                    await self._broken.wait()
                    return
            trouble = await trouble_of(producer, self._topic)
            if trouble is None:
                answered = now()
            self._say(trouble)

    def _say(self, trouble: str | None) -> None:
        """Remember the state, and log it when it changed."""
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble is None:
                log.info("publisher.connected", kafka=self._settings.kafka, topic=self._topic)
            else:
                log.warning("publisher.unavailable", reason=trouble)


def _check(sent: Sequence[asyncio.Future[Any]]) -> None:
    errors = [error for future in sent if (error := future.exception()) is not None]
    if any(isinstance(error, MessageSizeTooLargeError) for error in errors):
        raise RecordTooLarge("larger than the topic takes (max.message.bytes)")
    if errors:
        raise Unconfirmed(type(errors[0]).__name__) from errors[0]

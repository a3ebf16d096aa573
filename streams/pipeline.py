"""What the stages of one worker share: configuration, the database, and confirmed ways to publish."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from faust.types import EventT

from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import to_record
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.ahead import Handle, HandleInTurn, drain_ahead
from streams.batches import Batch, Stream
from streams.consumer import App
from streams.deadletters import CONFLICT, DeadLetter, hopeless
from streams.facts import partition_key
from streams.guard import Guard, Limit, Superseded, Unconfirmed, is_transient
from streams.orders import Redo
from streams.progress import Abandoned
from streams.records import GENERATION, RULE, Arrival, Headers, Outgoing, Redrive, arrival_of, generation_of
from streams.router import Fate, Routes
from streams.settings import Settings
from streams.sinks import cloudevents as cloudevents_sink
from streams.sinks import deadletters as deadletters_sink
from streams.sinks.cloudevents import SettledEvent
from streams.sinks.database import Database
from streams.telemetry import Telemetry

log = structlog.get_logger(__name__)

SEND_DEADLINE = 60.0  # seconds; a send that nobody confirmed by then ends the process


@dataclass
class Pipeline:
    """The stages of a worker work for one ``generation``; what another generation made is not theirs."""

    app: App
    settings: Settings
    generation: int
    routes: Routes
    catalog: Catalog
    database: Database
    telemetry: Telemetry = field(default_factory=Telemetry)
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        self.topics = self.settings.topics
        limit = Limit(self.settings.deadletter_limit, self.settings.deadletter_share)
        self.guard = Guard(self.app.progress, self._bury_event, limit)

    async def drain(self, stage: str, stream: Stream, handle: Handle, most: int | None = None) -> None:
        """The life of a stage: every batch, of up to ``most`` records, through the guard, then finished."""
        async for batch in stream.batches(stage, most or self.settings.batch_size):
            await self._complete(stage, batch, handle)

    async def drain_ahead(self, stage: str, stream: Stream, handle: HandleInTurn) -> None:
        """As ``drain``, for a ``handle`` that awaits its turn before its first effect (streams/ahead.py)."""
        await drain_ahead(stream, stage, self.settings.batch_size, handle, partial(self._complete, stage))

    async def _complete(self, stage: str, batch: Batch, handle: Handle) -> bool:
        """Whether all effects of the batch are confirmed, and it is finished; else it is abandoned."""
        started = time.monotonic()
        try:
            await self.guard.run(stage, batch.events, handle)
        except Abandoned:
            batch.abandon()
            return False
        batch.finish()
        self.telemetry.batches.labels(stage).observe(time.monotonic() - started)
        return True

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Send all, then wait for all confirmations. Raises ``Unconfirmed`` when one does not come."""
        send = self.app.producer.send
        await confirm([await send(r.topic, r.key, r.value, None, None, r.headers) for r in records])

    def cdevent_records(self, cdevents: Iterable[CDEvent], traceparent: str | None) -> list[Outgoing]:
        """CDEvents as records of the ``cdevents`` topic."""
        generation = str(self.generation).encode()
        records = []
        for cdevent in cdevents:
            _, value, headers = to_record(cdevent, traceparent)
            key = partition_key(cdevent, self.catalog)
            marks: Headers = [(GENERATION, generation), (RULE, cdevent.rule.encode())]
            self.telemetry.cdevents.labels(cdevent.type).inc()
            records.append(Outgoing(self.topics["cdevents"], key, value, [*headers, *marks]))
        return records

    def dead_letter_records(self, letters: Iterable[DeadLetter]) -> list[Outgoing]:
        """Dead letters as records of their topic."""
        return [letter.to_record(self.topics["deadletters"], self.generation) for letter in letters]

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters, confirmed."""
        await self.publish(self.dead_letter_records(letters))
        for letter in letters:
            self.telemetry.dead_letters.labels(letter.stage).inc()

    async def redrive(self, asked: Sequence[Redo]) -> None:
        """Play the original records of these dead letters to the stages that they came from.

        Events go over the replay topic: no one else writes it, so that nobody can pretend to be a redrive.
        """
        replay, cdevents = self.topics.replay(self.generation), self.topics["cdevents"]
        kept = await deadletters_sink.find_open(self.database, asked)
        await self.publish(
            letter.again(cdevents if letter.origin_topic == cdevents else replay, self.generation)
            for letter in kept
            if hopeless(letter.stage, letter.reason) is None
        )

    async def close(self, redrives: Iterable[Redrive | None]) -> None:
        """What was redriven is handled now, unless it failed again meanwhile."""
        await deadletters_sink.close(self.database, [each for each in redrives if each is not None])

    async def store(self, stage: str, settled: Sequence[SettledEvent]) -> None:
        """Store settled events; those whose identity is taken by other data become dead letters."""
        conflicting = await cloudevents_sink.store(self.database, settled)
        if conflicting:
            await self.bury([DeadLetter(entry.arrival, stage, CONFLICT) for entry in conflicting])
        now = time.time()
        for entry in settled:
            self.telemetry.fates.labels(entry.fate.fate, entry.fate.rule or "none").inc()
            self.telemetry.age.labels(stage).observe(max(0.0, now - entry.arrival.at.timestamp()))

    def ours(self, events: Sequence[EventT]) -> list[EventT]:
        """The events of an internal topic that this generation made."""
        return [event for event in events if generation_of(event.message.headers) == self.generation]

    async def _bury_event(self, event: EventT, stage: str, reason: str) -> None:
        message, topics = event.message, self.topics
        if message.topic == topics["deadletters"]:
            # It stays on its topic: a dead letter of a dead letter would be the next that cannot be stored.
            log.error("deadletter.not_stored", partition=message.partition, offset=message.offset)
            self.telemetry.dead_letters.labels(stage).inc()
            return
        roles = ("observations", "functions", "cdevents")
        internal = {topics.replay(self.generation), *(topics[role] for role in roles)}
        arrival = arrival_of(message, internal_topic=message.topic in internal)
        if message.topic != topics["cdevents"]:
            await self._store_dead(stage, arrival, reason)
        await self.bury([DeadLetter(arrival, stage, reason)])

    async def _store_dead(self, stage: str, arrival: Arrival, reason: str) -> None:
        """The event's row, if it can have one: what made it a dead letter may be just that it cannot."""
        try:
            event = read_record(arrival.headers, arrival.value)
            await self.store(stage, [SettledEvent(event, arrival, Fate("dead", reason))])
        except InvalidCloudEvent:
            return
        except Superseded:
            raise
        except Exception as error:
            if is_transient(error):
                raise
            log.warning("event.not_stored", stage=stage, error=type(error).__name__)


async def confirm(pending: Sequence[Any]) -> None:
    """Wait until Kafka has confirmed every send. Raises ``Unconfirmed`` after the deadline."""
    if not pending:
        return
    try:
        async with asyncio.timeout(SEND_DEADLINE):
            for confirmation in pending:
                await confirmation
    except TimeoutError as error:
        raise Unconfirmed(f"{len(pending)} records") from error

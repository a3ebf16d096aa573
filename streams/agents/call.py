"""functions → cdevents: http functions in any language, called with the CloudEvent; and viewers, told of it.

On a topic of their own, so that a slow function holds up nobody else. What a function returns is taken as
its output; a 2xx without a body means delivered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from faust.types import EventT

from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream
from streams.deadletters import DeadLetter
from streams.functions import Answer, Functions
from streams.pipeline import Pipeline
from streams.records import Arrival, arrival_of
from streams.router import Fate, combine
from streams.sinks.cloudevents import SettledEvent
from streams.skew import placeable

STAGE = "call"
# Calls under way, and records in a batch: a crash in the middle calls few functions again.
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Called:
    """One event, what its functions answered, and whether this stage stores its row."""

    event: CloudEvent
    arrival: Arrival
    answers: tuple[Answer, ...]
    settles: bool

    @property
    def fate(self) -> Fate:
        """One fate of all answers."""
        return placeable(combine([answer.fate for answer in self.answers]), self.arrival.at)

    @property
    def dead_letter(self) -> DeadLetter | None:
        """One for all functions that failed: they share the record, by which dead letters are told apart."""
        failed = [answer for answer in self.answers if answer.fate.fate == "dead"]
        if not failed:
            return None
        reason = combine([answer.fate for answer in failed]).reason or "failed"
        return DeadLetter(self.arrival, STAGE, reason, max(answer.attempts for answer in failed))


def attach(pipeline: Pipeline, functions: Functions) -> None:
    """Add the agent."""
    channel = pipeline.app.topic(pipeline.topics["functions"], key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def call(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, functions, events), AT_ONCE)


async def handle(pipeline: Pipeline, functions: Functions, events: Sequence[EventT]) -> None:
    """Call the functions of each event, publish what they returned, store the rows left to this stage."""
    slots = asyncio.Semaphore(AT_ONCE)
    calls = asyncio.gather(*(call_all(pipeline, functions, slots, e) for e in pipeline.ours(events)))
    called = await pipeline.app.progress.unless_leaving(calls)
    outgoing = []
    for entry in called:
        cdevents: tuple[CDEvent, ...] = entry.fate.cdevents
        outgoing += pipeline.cdevent_records(cdevents, entry.arrival.traceparent)
    letters = [letter for entry in called if (letter := entry.dead_letter) is not None]
    await pipeline.publish(outgoing)
    await pipeline.bury(letters)
    await pipeline.store(STAGE, [SettledEvent(c.event, c.arrival, c.fate) for c in called if c.settles])
    redriven = [entry.arrival.redrive for entry in called if entry.dead_letter is None]
    await pipeline.close(redriven)


async def call_all(
    pipeline: Pipeline, functions: Functions, slots: asyncio.Semaphore, event: EventT
) -> Called:
    """Every function of one event, one after the other."""
    arrival = arrival_of(event.message, internal_topic=True)
    cloudevent = read_record(arrival.headers, arrival.value)
    beat = partial(pipeline.app.progress.beat, STAGE)
    async with slots:
        answers = [
            await functions.call(url, cloudevent, arrival.traceparent, beat)
            for url in arrival.internal["dora-targets"].split(" ")
        ]
    return Called(cloudevent, arrival, tuple(answers), arrival.internal["dora-settles"] == "yes")

"""cdevents → cdevents_raw and the tables of facts: what was said, and the facts that follow from it."""

from collections.abc import Sequence

from faust.types import EventT

from schemas.cdevents.cloudevent import read_cdevent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream
from streams.deadletters import FOREIGN, DeadLetter
from streams.facts import Fact, facts_of
from streams.pipeline import Pipeline
from streams.records import RULE, Arrival, Redrive, arrival_of, generation_of
from streams.sinks import cdevents as cdevents_sink
from streams.sinks.cdevents import RecordedCDEvent

STAGE = "record"


def attach(pipeline: Pipeline) -> None:
    """Add the agent."""
    channel = pipeline.app.topic(pipeline.topics["cdevents"], key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def record(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, events))


async def handle(pipeline: Pipeline, events: Sequence[EventT]) -> None:
    """Store the batch's CDEvents and merge the facts that they tell."""
    letters = [
        DeadLetter(arrival_of(event.message, internal_topic=False), STAGE, FOREIGN)
        for event in events
        if generation_of(event.message.headers) is None
    ]
    recorded: list[RecordedCDEvent] = []
    facts: list[Fact] = []
    redriven: list[Redrive | None] = []
    for event in pipeline.ours(events):
        arrival = arrival_of(event.message, internal_topic=True)
        try:
            entry = read(arrival)
            told = list(facts_of(entry.event, pipeline.catalog))
        except ValueError as error:
            letters.append(DeadLetter(arrival, STAGE, str(error)))
            continue
        recorded.append(entry)
        facts += told
        redriven.append(arrival.redrive)
    await pipeline.bury(letters)
    await cdevents_sink.store(pipeline.database, recorded, facts)
    await pipeline.close(redriven)


def read(arrival: Arrival) -> RecordedCDEvent:
    """The CDEvent in a record. Raises ``InvalidCloudEvent``, a ``ValueError``, when there is none."""
    cdevent = read_cdevent(read_record(arrival.headers, arrival.value))
    return RecordedCDEvent(cdevent, arrival.value or b"", arrival.traceparent, arrival.internal.get(RULE, ""))

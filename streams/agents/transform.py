"""cloudevents → cdevents. Outputs confirmed, then the raw rows stored, then finished (docs/guarantees.md)."""

from collections.abc import Sequence

from faust.types import EventT

from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream
from streams.deadletters import DeadLetter
from streams.pipeline import CONFLICT, Pipeline
from streams.records import Arrival, Outgoing, arrival_of
from streams.router import Decision, Fate, decide
from streams.sinks.cloudevents import SettledEvent, find_conflicts

STAGE = "transform"


def attach(pipeline: Pipeline, *topics: str) -> None:
    """Add the agent that reads every topic on which CloudEvents come in."""
    channel = pipeline.app.topic(*topics, key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def transform(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, events))


async def handle(pipeline: Pipeline, events: Sequence[EventT]) -> None:
    """Decide what becomes of each record, publish it, then store the rows whose fate is known."""
    readable, letters = read(pipeline, events)
    conflicts = await find_conflicts(pipeline.database, [event for event, _ in readable])
    outgoing: list[Outgoing] = []
    settled: list[SettledEvent] = []
    for position, (event, arrival) in enumerate(readable):
        if position in conflicts:
            letters.append(DeadLetter(arrival, STAGE, CONFLICT))
            continue
        decision = decide(event.with_time(arrival.at), pipeline.routes, pipeline.catalog)
        if arrival.internal:
            decision = without_functions(decision)
        outgoing += forward(pipeline, decision, event, arrival)
        if decision.fate is not None:
            outgoing += pipeline.cdevent_records(decision.fate.cdevents, arrival.traceparent)
            settled.append(SettledEvent(event, arrival, decision.fate))
            if decision.fate.fate == "dead":
                letters.append(DeadLetter(arrival, STAGE, decision.fate.reason or "unknown"))
    await pipeline.publish(outgoing)
    await pipeline.bury(letters)
    await pipeline.store(STAGE, settled)


def read(
    pipeline: Pipeline, events: Sequence[EventT]
) -> tuple[list[tuple[CloudEvent, Arrival]], list[DeadLetter]]:
    """The records that are CloudEvents, and dead letters for those that are not."""
    readable: list[tuple[CloudEvent, Arrival]] = []
    letters: list[DeadLetter] = []
    replay = pipeline.topics.replay(pipeline.generation)
    for event in events:
        arrival = arrival_of(event.message, internal_topic=event.message.topic == replay)
        try:
            readable.append((read_record(arrival.headers, arrival.value), arrival))
        except InvalidCloudEvent as error:
            letters.append(DeadLetter(arrival, "read", error.reason))
    return readable, letters


def without_functions(decision: Decision) -> Decision:
    """A replayed event's decision: what functions made of it is played beside it, not asked for again."""
    fate = decision.fate
    if fate is None and not decision.observations:
        fate = Fate(
            "unmapped", "routed to a function, which a recompute does not call; redrive it to call it"
        )
    return Decision(fate, decision.observations)


def forward(pipeline: Pipeline, decision: Decision, event: CloudEvent, arrival: Arrival) -> list[Outgoing]:
    """Records for the stages behind: one for each object to fold, one for all functions to call."""
    topics, generation = pipeline.topics, pipeline.generation
    records = [
        arrival.forward(topics["observations"], uid.encode(), generation, source=source)
        for uid, source in decision.observations
    ]
    if decision.functions:
        key = f"{event.source}\n{event.id}".encode()
        settles = "yes" if decision.settler == "call" else "no"
        targets = " ".join(decision.functions)
        records.append(
            arrival.forward(topics["functions"], key, generation, targets=targets, settles=settles)
        )
    return records

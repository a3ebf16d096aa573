"""cloudevents → cdevents. Outputs confirmed, then the raw rows stored, then finished (docs/guarantees.md)."""

from collections.abc import Sequence

from faust.types import EventT

from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream
from streams.deadletters import CONFLICT, DeadLetter
from streams.orders import Drop, Order, Redo, is_order, understood
from streams.pipeline import Pipeline
from streams.records import ORIGIN, Arrival, Outgoing, Redrive, arrival_of
from streams.router import Decision, Fate, decide
from streams.sinks import deadletters
from streams.sinks.cloudevents import SettledEvent, find_conflicts
from streams.skew import believed

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
    orders: list[Order] = []
    redriven: list[Redrive] = []
    for position, (event, arrival) in enumerate(readable):
        if position in conflicts:
            letters.append(DeadLetter(arrival, STAGE, CONFLICT))
            continue
        decision, ordered = decision_on(pipeline, event, arrival)
        orders += ordered
        outgoing += forward(pipeline, decision, event, arrival)
        if decision.fate is not None:
            outgoing += pipeline.cdevent_records(decision.fate.cdevents, arrival.traceparent)
            settled.append(SettledEvent(event, arrival, decision.fate))
            if decision.fate.fate == "dead":
                letters.append(DeadLetter(arrival, STAGE, decision.fate.reason or "unknown"))
            redriven += redriven_by(arrival, decision)
    await pipeline.publish(outgoing)
    await pipeline.bury(letters)
    await pipeline.store(STAGE, settled)
    await pipeline.close(redriven)
    await pipeline.redrive([order for order in orders if isinstance(order, Redo)])
    await deadletters.drop(pipeline.database, [order for order in orders if isinstance(order, Drop)])


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
        fate = Fate("unmapped", "routed to a function since, which a recompute does not call; new events are")
    return Decision(fate, decision.observations)


def is_replayed(arrival: Arrival) -> bool:
    """Whether a recompute plays the event; what is redriven comes over the same topic."""
    return ORIGIN in arrival.internal and arrival.redrive is None


def decision_on(pipeline: Pipeline, event: CloudEvent, arrival: Arrival) -> tuple[Decision, Sequence[Order]]:
    """What becomes of the event, and what it orders.

    A replay redrives nothing: it decides on every event anew as it is.
    """
    if is_order(event):
        fate, order = understood(event)
        void = order is None or (is_replayed(arrival) and isinstance(order, Redo))
        return Decision(fate), [] if void or order is None else [order]
    decision = decide(event.with_time(arrival.at), pipeline.routes, pipeline.catalog)
    if is_replayed(arrival):
        decision = without_functions(decision)
    return believed(decision, arrival.at), []


def redriven_by(arrival: Arrival, decision: Decision) -> list[Redrive]:
    """The dead letter that is done with by this decision; one of functions waits for their answer."""
    redrive, fate = arrival.redrive, decision.fate
    if redrive is None or fate is None or fate.fate == "dead":
        return []
    return [] if decision.functions and redrive.stage == "call" else [redrive]


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

"""cloudevents → cdevents. Outputs confirmed, then the raw rows stored, then finished (docs/guarantees.md)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from faust.types import EventT

from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from streams.ahead import Turn
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
YIELD_EVERY = 20  # events, of some 2 ms together


def attach(pipeline: Pipeline, *topics: str) -> None:
    """Add the agent that reads every topic on which CloudEvents come in."""
    channel = pipeline.app.topic(*topics, key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def transform(stream: Stream) -> None:
        await pipeline.drain_ahead(STAGE, stream, lambda events, turn: handle(pipeline, events, turn))


async def handle(pipeline: Pipeline, events: Sequence[EventT], turn: Turn) -> None:
    """Decide what becomes of each record; then publish it, and store the rows whose fate is known."""
    decided, letters = await decide_on(pipeline, events)
    await turn()
    conflicts = await find_conflicts(pipeline.database, [event for event, _, _, _ in decided])
    outgoing: list[Outgoing] = []
    settled: list[SettledEvent] = []
    orders: list[Order] = []
    redriven: list[Redrive] = []
    for position, (event, arrival, decision, ordered) in enumerate(decided):
        if position in conflicts:
            letters.append(DeadLetter(arrival, STAGE, CONFLICT))
            continue
        orders += ordered
        outgoing += forward(pipeline, decision, event, arrival)
        if decision.fate is not None:
            if decision.fate.cdevents:
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


class Decided(NamedTuple):
    """What becomes of an event, unless its source and id turn out to belong to another."""

    event: CloudEvent
    arrival: Arrival
    decision: Decision
    orders: Sequence[Order]


async def decide_on(pipeline: Pipeline, events: Sequence[EventT]) -> tuple[list[Decided], list[DeadLetter]]:
    """What becomes of the records that are CloudEvents, and dead letters for those that are not.

    Without effect. Now and then others have a turn, who send and store the batch before meanwhile.
    """
    decided: list[Decided] = []
    letters: list[DeadLetter] = []
    replay = pipeline.topics.replay(pipeline.generation)
    for number, each in enumerate(events, 1):
        arrival = arrival_of(each.message, internal_topic=each.message.topic == replay)
        try:
            event = read_record(arrival.headers, arrival.value)
        except InvalidCloudEvent as error:
            letters.append(DeadLetter(arrival, "read", error.reason))
            continue
        decided.append(Decided(event, arrival, *decision_on(pipeline, event, arrival)))
        event.release()
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
    return decided, letters


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
    if not (decision.observations or decision.functions):
        return []
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

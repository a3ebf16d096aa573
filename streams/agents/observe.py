"""observations → cdevents, through the fold of a stateful source and the table ``objects``.

The state is written last: after a crash the observation is folded into the old state again and yields the
same CDEvents. Were it written first, the second fold would find nothing new to tell.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from faust.types import EventT

from schemas.cloudevents.kafka import read_record
from streams.batches import Stream, by_partition, table_partition
from streams.changelogs import settle as settle_changelogs
from streams.deadletters import DeadLetter
from streams.outcome import Observed
from streams.pipeline import Pipeline
from streams.records import Outgoing, arrival_of
from streams.router import Fate, settle
from streams.sinks.cloudevents import SettledEvent
from streams.skew import placeable
from streams.tables import Table

STAGE = "observe"


def attach(pipeline: Pipeline) -> None:
    """Add the agent and its table: object uid → what is remembered of the object."""
    objects: Table = pipeline.app.Table("objects", partitions=pipeline.settings.partitions)
    channel = pipeline.app.topic(
        pipeline.topics["observations"], key_serializer="raw", value_serializer="raw"
    )

    @pipeline.app.agent(channel, name=STAGE)
    async def observe(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, objects, events))


async def handle(pipeline: Pipeline, objects: Table, events: Sequence[EventT]) -> None:
    """Publish what the observations tell, store their rows, and only then remember the new states."""
    states: list[tuple[Sequence[EventT], dict[str, Any]]] = []
    settled: list[SettledEvent] = []
    for group in by_partition(pipeline.ours(events)).values():
        changed: dict[str, Any] = {}
        with table_partition(group[0]):
            settled += [fold_event(pipeline, objects, changed, event) for event in group]
        states.append((group, changed))
    outgoing: list[Outgoing] = []
    for entry in settled:
        outgoing += pipeline.cdevent_records(entry.fate.cdevents, entry.arrival.traceparent)
    await pipeline.publish(outgoing)
    dead = [entry for entry in settled if entry.fate.fate == "dead"]
    await pipeline.bury([DeadLetter(entry.arrival, STAGE, entry.fate.reason or "unknown") for entry in dead])
    await pipeline.store(STAGE, settled)
    redriven = [entry.arrival.redrive for entry in settled if entry.fate.fate != "dead"]
    await pipeline.close(redriven)
    await remember(pipeline, objects, states)


async def remember(
    pipeline: Pipeline, objects: Table, states: Sequence[tuple[Sequence[EventT], dict[str, Any]]]
) -> None:
    """Write the objects' new states into their partitions, confirmed by the changelog."""
    for events, changed in states:
        last = events[-1].message
        with table_partition(events[0]):
            for uid, state in changed.items():
                value = objects.stated(uid, state, last.tp, last.offset)
                if value is not None:
                    objects[uid] = value
    await settle_changelogs(pipeline.settings.cluster, [objects])


def fold_event(pipeline: Pipeline, objects: Table, states: dict[str, Any], event: EventT) -> SettledEvent:
    """The fate of one observation; ``states`` collects what changed."""
    arrival = arrival_of(event.message, internal_topic=True)
    cloudevent = read_record(arrival.headers, arrival.value)
    name = arrival.internal["dora-source"]
    source = pipeline.routes.sources[name]
    observed = source.transform(cloudevent.with_time(arrival.at), pipeline.catalog)
    if not isinstance(observed, Observed) or source.fold is None:
        fate = Fate("dead", f"{name} no longer observes this event; redrive it", name)
        return SettledEvent(cloudevent, arrival, fate)
    before = (
        states[observed.key] if observed.key in states else (objects.get(observed.key) or [None, None])[1]
    )
    # A copy: a fold that changed its argument would change the store's cached value behind its back.
    state, outcome = source.fold(orjson.loads(orjson.dumps(before)), observed, pipeline.catalog)
    told = settle(outcome, rule=name, event=cloudevent)
    fate = placeable(told, arrival.at)
    if state != before and fate is told:  # what was not believed must not be remembered as told
        states[observed.key] = state
    return SettledEvent(cloudevent, arrival, fate)

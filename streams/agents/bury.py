"""deadletters → the table of dead letters."""

from collections.abc import Sequence

from faust.types import EventT

from streams.batches import Stream
from streams.pipeline import Pipeline
from streams.records import arrival_of
from streams.sinks import deadletters

STAGE = "bury"


def attach(pipeline: Pipeline) -> None:
    """Add the agent."""
    channel = pipeline.app.topic(pipeline.topics["deadletters"], key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def bury(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, events))


async def handle(pipeline: Pipeline, events: Sequence[EventT]) -> None:
    """Store the batch's dead letters."""
    arrivals = [arrival_of(event.message, internal_topic=False) for event in pipeline.ours(events)]
    await deadletters.store(pipeline.database, arrivals, pipeline.generation)

"""cdevents → deployment_frequency, over Faust's windowed tables. The only writer of that table.

The buckets are written to PostgreSQL before the tables, as absolute values: after a crash the batch is
counted into the old state again and writes the same values. Counts and states have the position in their
partition that they follow from, and none goes over one of a higher position.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog
from faust.types import TP, EventT, Message

from schemas.calendar import Bucket
from schemas.cdevents.cloudevent import read_cdevent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream, by_partition, table_partition
from streams.changelogs import settle
from streams.facts import Deployment, deployment_of
from streams.pipeline import Pipeline
from streams.positions import NOWHERE
from streams.records import arrival_of
from streams.sinks import frequency
from streams.sinks.frequency import Cell, Counted
from streams.tables import Table
from streams.tally import COUNTING, Placement, Tally, Value, is_placement
from streams.windows import CalendarWindow

STAGE = "measure"

log = structlog.get_logger(__name__)


class Group(NamedTuple):
    """One partition's part of a batch: its last event, and what it changes."""

    last: EventT
    tally: Tally


class Windows:
    """The tables: where each deployment was counted, and one calendar window for each size of bucket."""

    def __init__(self, pipeline: Pipeline, zone: ZoneInfo) -> None:
        partitions = pipeline.settings.partitions
        self.zone = zone
        self.cluster = pipeline.settings.cluster
        self.placed: Table = pipeline.app.Table("placed", partitions=partitions)
        self.placed.is_state = is_placement
        self.windowed = {
            bucket: pipeline.app.Table(
                bucket,
                default=lambda bucket=bucket: [NOWHERE, [] if bucket == "day" else {}],
                partitions=partitions,
            ).using_window(CalendarWindow(bucket, zone))
            for bucket in COUNTING
        }

    def tally(self) -> Tally:
        """A fresh working copy over the current partition."""
        return Tally(self.zone, self._read_placed, self._read)

    def _read_placed(self, deploy_id: str) -> Any:
        known = self.placed.get(deploy_id)
        return known and known[1]

    def _read(self, bucket: Bucket, key: str, instant: datetime) -> Any:
        return self.windowed[bucket].relative_to(instant)[key].value()[1]

    async def remember(self, groups: Sequence[Group]) -> None:
        """Write what each partition's tally changed into its tables, confirmed by their changelogs.

        The placements last: done again after a crash, the batch still finds where a deployment was before.
        """
        for last, tally in groups:
            with table_partition(last):
                for change in tally.changed():
                    self._write(change, last.message)
        await settle(self.cluster, [window.table for window in self.windowed.values()])
        for last, tally in groups:
            with table_partition(last):
                for deploy_id, placement in tally.placed.items():
                    self._place(deploy_id, placement, last.message)
        await settle(self.cluster, [self.placed])

    def _write(self, change: Value, last: Message) -> None:
        window = self.windowed[change.bucket]
        key = (change.key, window.table.window.current(change.instant.timestamp()))
        value = window.table.stated(key, change.value, last.tp, last.offset)
        if value is not None:
            window.relative_to(change.instant)[change.key] = value

    def _place(self, deploy_id: str, placement: Placement, last: Message) -> None:
        value = self.placed.stated(deploy_id, list(placement), last.tp, last.offset)
        if value is not None:
            self.placed[deploy_id] = value


def attach(pipeline: Pipeline, zone: ZoneInfo) -> None:
    """Add the agent and its tables, whose buckets are those of ``zone``."""
    windows = Windows(pipeline, zone)
    channel = pipeline.app.topic(pipeline.topics["cdevents"], key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def measure(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, windows, events))


async def handle(pipeline: Pipeline, windows: Windows, events: Sequence[EventT]) -> None:
    """Count the deployments of the batch, each partition's in the tables that are its own."""
    groups: list[Group] = []
    for events_of_one in by_partition(pipeline.ours(events)).values():
        with table_partition(events_of_one[0]):
            tally = windows.tally()
            for report in reports(pipeline, events_of_one):
                tally.place(report)
        if tally.placed:
            groups.append(Group(events_of_one[-1], tally))
    if groups:
        await store(pipeline, groups)
        await windows.remember(groups)


async def store(pipeline: Pipeline, groups: Sequence[Group]) -> None:
    """Write the counts to PostgreSQL, unless those there follow from more of the topic."""
    counted = {
        last.message.partition: Counted(
            last.message.offset, {Cell(*cell): count for cell, count in tally.counts().items()}
        )
        for last, tally in groups
    }
    ahead = await frequency.store(pipeline.database, counted)
    ends = await topic_ends(pipeline, ahead) if ahead else {}
    anew = [partition for partition, position in ahead.items() if position >= ends[partition]]
    for partition in anew:
        # Nothing that is on the topic can be ahead of its end: the counts are of another topic.
        log.warning("frequency.another_topic", partition=partition, position=ahead[partition])
        await frequency.forget(pipeline.database, partition, ahead[partition])
    if anew:
        await frequency.store(pipeline.database, {partition: counted[partition] for partition in anew})


async def topic_ends(pipeline: Pipeline, partitions: Iterable[int]) -> dict[int, int]:
    """The offset after the last CDEvent of each partition."""
    topic = pipeline.topics["cdevents"]
    ends = await pipeline.app.consumer.highwaters(*(TP(topic, partition) for partition in partitions))
    return {tp.partition: end for tp, end in ends.items()}


def reports(pipeline: Pipeline, events: Sequence[EventT]) -> list[Deployment]:
    """The deployments that the CDEvents report. Unreadable ones are the recording stage's to bury."""
    found = []
    for event in events:
        arrival = arrival_of(event.message, internal_topic=False)
        try:
            deployment = deployment_of(
                read_cdevent(read_record(arrival.headers, arrival.value)), pipeline.catalog
            )
        except ValueError:
            continue
        if deployment is not None:
            found.append(deployment)
    return found

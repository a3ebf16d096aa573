"""cdevents → deployment_frequency, over Faust's windowed tables. The only writer of that table.

The buckets are written to PostgreSQL before the tables, as absolute values: after a crash the batch is
counted into the old state again and writes the same values.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from faust.types import EventT

from schemas.calendar import Bucket
from schemas.cdevents.cloudevent import read_cdevent
from schemas.cloudevents.kafka import read_record
from streams.batches import Stream, by_partition, table_partition
from streams.facts import Deployment, deployment_of
from streams.pipeline import Pipeline, confirm
from streams.records import arrival_of
from streams.sinks import frequency
from streams.sinks.frequency import Cell
from streams.tables import Table
from streams.tally import COUNTING, Tally, is_placement
from streams.windows import CalendarWindow

STAGE = "measure"


class Windows:
    """The tables: where each deployment was counted, and one calendar window for each size of bucket."""

    def __init__(self, pipeline: Pipeline, zone: ZoneInfo) -> None:
        partitions = pipeline.settings.partitions
        self.zone = zone
        self.placed: Table = pipeline.app.Table("placed", partitions=partitions)
        self.placed.is_value = is_placement
        self.windowed = {
            bucket: pipeline.app.Table(
                bucket, default=list if bucket == "day" else dict, partitions=partitions
            ).using_window(CalendarWindow(bucket, zone))
            for bucket in COUNTING
        }

    def tally(self) -> Tally:
        """A fresh working copy over the current partition."""
        return Tally(self.zone, self.placed.get, self._read)

    def _read(self, bucket: Bucket, key: str, instant: datetime) -> Any:
        return self.windowed[bucket].relative_to(instant)[key].value()

    async def remember(self, tallies: Sequence[tuple[EventT, Tally]]) -> None:
        """Write what each partition's tally changed into its tables, confirmed by their changelogs.

        The placements last: done again after a crash, the batch still finds where a deployment was before.
        """
        for event, tally in tallies:
            with table_partition(event):
                for change in tally.changed():
                    self.windowed[change.bucket].relative_to(change.instant)[change.key] = change.value
        tables = [window.table for window in self.windowed.values()]
        await confirm([pending for table in tables for pending in table.take_pending()])
        for event, tally in tallies:
            with table_partition(event):
                for deploy_id, placement in tally.placed.items():
                    self.placed[deploy_id] = list(placement)
        await confirm(self.placed.take_pending())


def attach(pipeline: Pipeline, zone: ZoneInfo) -> None:
    """Add the agent and its tables, whose buckets are those of ``zone``."""
    windows = Windows(pipeline, zone)
    channel = pipeline.app.topic(pipeline.topics["cdevents"], key_serializer="raw", value_serializer="raw")

    @pipeline.app.agent(channel, name=STAGE)
    async def measure(stream: Stream) -> None:
        await pipeline.drain(STAGE, stream, lambda events: handle(pipeline, windows, events))


async def handle(pipeline: Pipeline, windows: Windows, events: Sequence[EventT]) -> None:
    """Count the deployments of the batch, each partition's in the tables that are its own."""
    tallies: list[tuple[EventT, Tally]] = []
    cells: dict[Cell, tuple[int, int]] = {}
    for group in by_partition(pipeline.ours(events)).values():
        with table_partition(group[0]):
            tally = windows.tally()
            for report in reports(pipeline, group):
                tally.place(report)
        tallies.append((group[0], tally))
        cells |= {Cell(*cell): count for cell, count in tally.counts.items()}
    if cells:
        await frequency.store(pipeline.database, cells)
        await windows.remember(tallies)


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

"""Calendar windows for Faust tables: day, ISO week, month and year in one time zone.

Faust's own windows align to the epoch (its seven-day window begins on a Thursday) and expire by the wall
clock, which would drop replayed history. These are placed by event time and never expire.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import faust.windows
from faust.types.windows import WindowRange

from schemas.calendar import Bucket, bucket_of


class CalendarWindow(faust.windows.Window):
    """One calendar bucket of ``zone`` for each instant."""

    expires = None

    def __init__(self, bucket: Bucket, zone: ZoneInfo) -> None:
        self.bucket = bucket
        self.zone = zone

    def ranges(self, timestamp: float) -> list[WindowRange]:
        """The one bucket that holds ``timestamp`` (seconds since the epoch)."""
        start, end = bucket_of(datetime.fromtimestamp(timestamp, UTC), self.bucket, self.zone)
        return [(start.timestamp(), end.timestamp())]

    def current(self, timestamp: float) -> WindowRange:
        """The bucket that holds ``timestamp``."""
        return self.ranges(timestamp)[0]

    def earliest(self, timestamp: float) -> WindowRange:
        """The same bucket: windows do not overlap."""
        return self.current(timestamp)

    def delta(self, timestamp: float, d: float) -> WindowRange:
        """The bucket that holds the instant ``d`` seconds before ``timestamp``."""
        return self.current(timestamp - float(d))

    def stale(self, timestamp: float, latest_timestamp: float) -> bool:  # noqa: ARG002
        """Never: a bucket stays open for late events."""
        return False

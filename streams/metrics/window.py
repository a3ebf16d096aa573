"""The time that a metric looks at, and the buckets it is cut into."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.calendar import Bucket, buckets_between, days_between, local_day

# The smallest step of a datetime.
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)``, two aware instants, in ``zone``, cut into calendar buckets.

    The window holds exactly: its first and last bucket are cut where it begins and ends.
    """

    start: datetime
    end: datetime
    bucket: Bucket
    zone: ZoneInfo

    @property
    def days(self) -> float:
        """Its length in calendar days."""
        return days_between(self.start, self.end, self.zone)

    @property
    def first_day(self) -> date:
        """The day in which it begins."""
        return local_day(self.start, self.zone)

    @property
    def last_day(self) -> date:
        """The last day of which it holds a part."""
        return local_day(self.end.astimezone(UTC) - INSTANT, self.zone)

    def parts(self) -> Iterator["Window"]:
        """Its buckets, in order."""
        for start, end in buckets_between(self.start, self.end, self.bucket, self.zone):
            inside = max(start.astimezone(UTC), self.start), min(end.astimezone(UTC), self.end)
            yield Window(*inside, self.bucket, self.zone)

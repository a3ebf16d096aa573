"""The time that a metric looks at, and the buckets it is cut into."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
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

    def parts(self) -> Sequence["Window"]:
        """Its buckets, in order."""
        return _parts(self)


@lru_cache(maxsize=16)  # an answer asks several times, and dashboards ask for the same windows again
def _parts(window: Window) -> Sequence[Window]:
    return [
        Window(
            max(start.astimezone(UTC), window.start),
            min(end.astimezone(UTC), window.end),
            window.bucket,
            window.zone,
        )
        for start, end in buckets_between(window.start, window.end, window.bucket, window.zone)
    ]

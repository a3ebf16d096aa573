"""The window of a metric: what was asked for, or the last 90 days."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from query.parameters import MetricAsked
from query.problems import Refused
from schemas.calendar import (
    Bucket,
    OutsideCalendar,
    buckets_between,
    first_day,
    local_day,
    midnight,
    next_first_day,
)
from streams.metrics.window import INSTANT, Window

DEFAULT_DAYS = 90
MOST_POINTS = 3_700  # ten years of days


def window_of(asked: MetricAsked, zone: ZoneInfo, now: datetime) -> Window:
    """The window that ``asked`` names, exactly.

    Without ``to`` it ends with the day of ``now``; without ``from`` it begins with the bucket of the 90th day
    before its end. Raises ``Refused`` for a window that ends before it begins, has too many buckets, or
    leaves the calendar.
    """
    try:
        end = asked.to or _begin(next_first_day(local_day(now, zone), "day"), zone)
        start = asked.from_ or _default_start(end, asked.bucket, zone)
        if start >= end:
            raise Refused({"from": f"must be before to, which is {end.isoformat()} unless it is given"})
        buckets = list(islice(buckets_between(start, end, asked.bucket, zone), MOST_POINTS + 1))
    except (OutsideCalendar, OverflowError) as error:
        raise Refused(dict.fromkeys(("from", "to"), "the window leaves the years 1 to 9999")) from error
    if len(buckets) > MOST_POINTS:
        reason = f"more than {MOST_POINTS} buckets; narrow from and to, or take a larger bucket"
        raise Refused(dict.fromkeys(("from", "to", "bucket"), reason))
    return Window(start, end, asked.bucket, zone)


def has_whole_days(window: Window) -> bool:
    """Whether ``window`` begins and ends with a day of its zone."""
    return all(
        instant == _begin(local_day(instant, window.zone), window.zone)
        for instant in (window.start, window.end)
    )


def _default_start(end: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    last = local_day(end - INSTANT, zone)
    return _begin(first_day(last - timedelta(days=DEFAULT_DAYS - 1), bucket), zone)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return midnight(day, zone).astimezone(UTC)

"""Calendar buckets in a time zone: day, ISO week (Monday), month, quarter, year.

A bucket is half-open, ``[start, end)``, and both are local midnights, so that a day around a daylight-saving
change has 23 or 25 hours and an event falls into the day that people there call by its date. Where a clock is
put back over midnight, a day begins when its date is reached for the first time.

Dates that Python cannot hold (before year 1, after 9999) raise ``OutsideCalendar``, never another error.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.instant import format_instant

Bucket = Literal["day", "week", "month", "quarter", "year"]
BUCKETS: tuple[Bucket, ...] = ("day", "week", "month", "quarter", "year")

# Files beside the zones on some machines: what they mean differs, and a bucket must not.
MACHINE_ZONES = ("localtime", "posixrules", "Factory")
MACHINE_PREFIXES = ("right/", "posix/")


class OutsideCalendar(ValueError):
    """A date before year 1 or after 9999, which Python cannot hold."""

    def __init__(self) -> None:
        super().__init__("the date lies outside the years 1 to 9999")


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone called ``name``. Raises ``ValueError`` with advice for an unknown one."""
    advice = f"unknown time zone {name[:60]!r}; use an IANA name such as Europe/Berlin"
    if name in MACHINE_ZONES or name.startswith(MACHINE_PREFIXES):
        raise ValueError(advice)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(advice) from error


def first_day(day: date, bucket: Bucket) -> date:
    """The first day of the bucket that ``day`` lies in."""
    match bucket:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)


def next_first_day(first: date, bucket: Bucket) -> date:
    """The first day of the bucket after the one that begins on ``first``."""
    try:
        match bucket:
            case "day":
                return first + timedelta(days=1)
            case "week":
                return first + timedelta(days=7)
            case "month":
                return first_day(first + timedelta(days=31), "month")
            case "quarter":
                return first_day(first + timedelta(days=92), "quarter")
            case "year":
                return first.replace(year=first.year + 1)
    except (OverflowError, ValueError) as error:
        raise OutsideCalendar from error


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which ``day`` begins in ``zone``, as an aware datetime there."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The day in ``zone`` that holds the aware ``instant``: the last one that had begun by then.

    That is the date on the wall, but for the minutes that a clock put back over midnight shows twice.
    """
    day = _in(zone, instant).date()
    tomorrow = next_first_day(day, "day")
    return tomorrow if _in(UTC, midnight(tomorrow, zone)) <= _in(UTC, instant) else day


def bucket_of(instant: datetime, bucket: Bucket, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The bucket ``[start, end)`` in ``zone`` that holds the aware ``instant``."""
    first = first_day(local_day(instant, zone), bucket)
    return midnight(first, zone), midnight(next_first_day(first, bucket), zone)


def buckets_between(
    start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Every bucket that overlaps ``[start, end)``, in order. A day that a zone skipped is left out."""
    last = _in(UTC, end)
    first = first_day(local_day(start, zone), bucket)
    # Compared in UTC: Python compares two datetimes of one zone by the wall, where an hour can come twice.
    while _in(UTC, begin := midnight(first, zone)) < last:
        first = next_first_day(first, bucket)
        if _in(UTC, midnight(first, zone)) > _in(UTC, begin):
            yield begin, midnight(first, zone)


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> float:
    """How many calendar days of ``zone`` lie in ``[start, end)``.

    A day of 23 or 25 hours is one day; of a day that is cut, the part of its length that lies inside.
    """
    first, last = local_day(start, zone), local_day(end, zone)
    return (last - first).days + _elapsed(end, last, zone) - _elapsed(start, first, zone)


def rfc3339(instant: datetime, zone: ZoneInfo) -> str:
    """``instant`` as RFC 3339 text: ``Z`` in UTC, else with the zone's offset.

    Zones had offsets with seconds before standard time. RFC 3339 has none, so such instants are told in UTC.
    """
    local = _in(zone, _in(UTC, instant))
    offset = local.utcoffset() or timedelta(0)
    return format_instant(instant) if is_utc(zone) or offset.total_seconds() % 60 else local.isoformat()


def is_utc(zone: ZoneInfo) -> bool:
    """Whether ``zone`` is UTC itself, not a zone that happens to have the offset zero."""
    return zone.key.removeprefix("Etc/") in {"UTC", "UCT", "Universal", "Zulu"}


def _elapsed(instant: datetime, day: date, zone: ZoneInfo) -> float:
    """Which share of ``day`` has passed at ``instant``."""
    begin = _in(UTC, midnight(day, zone))
    length = _in(UTC, midnight(next_first_day(day, "day"), zone)) - begin
    return (_in(UTC, instant) - begin) / length


def _in(zone: tzinfo, instant: datetime) -> datetime:
    try:
        return instant.astimezone(zone)
    except (OverflowError, ValueError) as error:
        raise OutsideCalendar from error

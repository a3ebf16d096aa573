"""The facts behind deployment frequency, from where they cost least.

In the configured zone the numbers are in ``deployment_frequency``, which the stream keeps: reading them costs
the same however many events there were. Only a question in another zone, or for a part of a day, counts
``deployments``, and then only those inside its time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from query.database import Reading
from query.problems import TooLarge
from query.selection import Selection
from query.settings import Settings
from schemas.calendar import (
    Bucket,
    bucket_of,
    buckets_between,
    first_day,
    local_day,
    midnight,
    next_first_day,
    zone_of,
)

MOST_ROWS = 100_000
MOST_DAYS = 40_000  # a hundred years
NARROW = "narrow it with service, environment, from or to"


@dataclass(frozen=True, slots=True)
class Row:
    """A service's deployments in the bucket that begins at ``start``, and the number of days that had any."""

    service: str
    start: datetime
    deployments: int
    deployment_days: int


# Of an environment, the deployments of each day.
Days = dict[str, Counter[date]]


async def configured_zone(reading: Reading, settings: Settings) -> ZoneInfo:
    """The zone in which the tables are kept; before a worker has said so, the one in the settings."""
    row = await reading.row("configured_zone")
    return settings.zone if row is None else zone_of(row["timezone"])


async def rows_of_table(
    reading: Reading,
    bucket: Bucket,
    zone: ZoneInfo,
    chosen: Selection,
    start: datetime | None,
    end: datetime | None,
) -> list[Row]:
    """The buckets that begin in ``[start, end)``, by time and service, from the table in its own zone."""
    found = await reading.rows(
        "frequency_rows", bucket, chosen.services, chosen.environments, start, end, MOST_ROWS + 1
    )
    _refuse_more_than(MOST_ROWS, found)
    # Environments share days, so the days of several are not the sum of their numbers.
    shared = [row for row in found if row["environments"] > 1] if bucket != "day" else []
    days = await _days_of(reading, bucket, zone, chosen, shared) if shared else Counter()
    return [
        Row(
            row["service"],
            row["bucket_start"],
            row["deployments"],
            days[row["service"], row["bucket_start"]] or row["deployment_days"],
        )
        for row in found
    ]


async def rows_by_counting(
    reading: Reading,
    bucket: Bucket,
    zone: ZoneInfo,
    chosen: Selection,
    start: datetime | None,
    end: datetime | None,
) -> list[Row]:
    """The same in any other ``zone``."""
    # Buckets are whole: the one that begins before the end is counted to its own end.
    whole_end = None if end is None else bucket_of(end, bucket, zone)[1]
    span = await reading.row("counted_span", chosen.services, chosen.environments, start, whole_end)
    if span is None or span["first"] is None:
        return []
    first = first_day(local_day(span["first"], zone), bucket)
    last = next_first_day(first_day(local_day(span["last"], zone), bucket), bucket)
    days = await counted_days(reading, midnight(first, zone), midnight(last, zone), zone, chosen)
    deployments: Counter[tuple[date, str]] = Counter()
    deployed: set[tuple[date, str]] = set()
    for service, _, day, number in days:
        deployments[first_day(day, bucket), service] += number
        deployed.add((day, service))
    deployment_days = Counter((first_day(day, bucket), service) for day, service in deployed)
    rows = [
        Row(service, midnight(begin, zone).astimezone(UTC), number, deployment_days[begin, service])
        for (begin, service), number in sorted(deployments.items())
    ]
    return [row for row in rows if (start is None or row.start >= start) and (end is None or row.start < end)]


async def days_of_table(
    reading: Reading, zone: ZoneInfo, chosen: Selection, start: datetime, end: datetime
) -> Days:
    """The deployments of each day in ``[start, end)``, whole days in the zone of the table."""
    found = await reading.rows("frequency_days", chosen.services, chosen.environments, start, end)
    return _by_environment(
        (row["environment"], local_day(row["bucket_start"], zone), row["deployments"]) for row in found
    )


async def days_by_counting(
    reading: Reading, zone: ZoneInfo, chosen: Selection, start: datetime, end: datetime
) -> Days:
    """The same in any zone and between any two instants."""
    begins, days = _days_between(start, end, zone)
    found = await reading.rows(
        "counted_days_of_environments", chosen.services, chosen.environments, begins, end
    )
    return _by_environment((row["environment"], days[row["day"]], row["deployments"]) for row in found)


async def counted_days(
    reading: Reading, start: datetime, end: datetime, zone: ZoneInfo, chosen: Selection
) -> Sequence[tuple[str, str, date, int]]:
    """Service, environment, day in ``zone`` and number of the counted deployments in ``[start, end)``."""
    begins, days = _days_between(start, end, zone)
    found = await reading.rows(
        "counted_days", chosen.services, chosen.environments, begins, end, MOST_ROWS + 1
    )
    _refuse_more_than(MOST_ROWS, found)
    return [(row["service"], row["environment"], days[row["day"]], row["deployments"]) for row in found]


def _days_between(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[list[datetime], list[date]]:
    """Where the days of ``[start, end)`` begin, the first not before ``start``, and which they are."""
    if end - start > timedelta(days=MOST_DAYS):
        raise TooLarge(f"The question spans more than {MOST_DAYS} days; {NARROW}.")
    begins = [begin.astimezone(UTC) for begin, _ in buckets_between(start, end, "day", zone)]
    days = [local_day(begin, zone) for begin in begins]
    return [max(begins[0], start), *begins[1:]], days


async def _days_of(
    reading: Reading, bucket: Bucket, zone: ZoneInfo, chosen: Selection, rows: Sequence[Any]
) -> Counter[tuple[str, datetime]]:
    """For services and buckets of ``rows``, on how many days at least one environment was deployed to."""
    services = sorted({row["service"] for row in rows})
    since = min(row["bucket_start"] for row in rows)
    found = await reading.rows("deployment_days", services, chosen.environments, since, MOST_ROWS + 1)
    _refuse_more_than(MOST_ROWS, found)
    return Counter(
        (
            row["service"],
            midnight(first_day(local_day(row["bucket_start"], zone), bucket), zone).astimezone(UTC),
        )
        for row in found
    )


def _by_environment(numbers: Iterable[tuple[str, date, int]]) -> Days:
    days: Days = {}
    for environment, day, number in numbers:
        days.setdefault(environment, Counter())[day] += number
    return days


def _refuse_more_than(most: int, rows: Sequence[object]) -> None:
    if len(rows) > most:
        raise TooLarge(f"The answer has more than {most} rows; {NARROW}.")

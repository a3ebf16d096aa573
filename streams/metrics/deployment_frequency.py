"""Deployment frequency: how often a service is deployed (dora.dev, guides/dora-metrics, 2026).

    value = counted deployments in the window / calendar days of the window

The class follows the 2023 clusters in the way that Four Keys and Apache DevLake made usual: by medians, so
that one busy day does not make a team look fast.

    elite   the median week has deployments on at least 5 days (Four Keys cut at 3, DevLake cuts at 5)
    high    the median week has deployments on at least 1 day
    medium  the median month has deployments in at least 1 week
    low     else; no class at all without a deployment in the window

Weeks are ISO weeks. Only whole weeks and months of the window count, since one that is cut looks slower than
it was; a window that holds no whole one is judged by its parts. The weeks before a service's first deployment
say nothing about it and are left out.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from schemas.calendar import Bucket, first_day, next_first_day
from streams.metrics.metric import Metric, Performance
from streams.metrics.window import Window

METRIC = Metric(
    name="deployment-frequency",
    definition=(
        "Counted deployments in the window, divided by the calendar days of the window. Counted are "
        "deployments that succeeded; failed rollouts, rollbacks and scaling are not. The class comes from "
        "the median number of days with a deployment per ISO week, and below one from the median number of "
        "weeks with a deployment per month."
    ),
    unit="deployments/day",
    edition="2023",
)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the classes are cut: days with a deployment per week, weeks with a deployment per month."""

    elite_days_per_week: float = 5
    high_days_per_week: float = 1
    medium_weeks_per_month: float = 1


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket: ``value`` in deployments per calendar day of ``window``."""

    window: Window
    value: float
    deployments: int


@dataclass(frozen=True, slots=True)
class Frequency:
    """The answer for a whole window; ``points`` has every bucket, those without a deployment too."""

    value: float
    performance: Performance | None
    deployments: int
    points: tuple[Point, ...]


def deployment_frequency(
    deployments: Mapping[date, int], window: Window, *, since: date | None = None, cuts: Cuts | None = None
) -> Frequency:
    """The frequency of ``deployments``, which are the numbers per local day inside ``window``.

    ``since`` is the day of the first deployment ever, when that is known; else the first one in the window.
    """
    total = sum(deployments.values())
    days = {day for day, number in deployments.items() if number > 0}
    return Frequency(
        value=total / window.days,
        performance=performance(days, window, since, cuts or Cuts()) if days else None,
        deployments=total,
        points=tuple(_points(deployments, window)),
    )


def performance(days: Collection[date], window: Window, since: date | None, cuts: Cuts) -> Performance:
    """The class of a service that was deployed on ``days``, of which there is at least one."""
    since = min(days) if since is None else since
    week_of = Counter(first_day(day, "week") for day in days)
    per_week = median(week_of[week] for week in _judged(window, since, "week"))
    if per_week >= cuts.elite_days_per_week:
        return "elite"
    if per_week >= cuts.high_days_per_week:
        return "high"
    weeks_in = Counter(
        month for month, _ in {(first_day(day, "month"), first_day(day, "week")) for day in days}
    )
    per_month = median(weeks_in[month] for month in _judged(window, since, "month"))
    return "medium" if per_month >= cuts.medium_weeks_per_month else "low"


def _points(deployments: Mapping[date, int], window: Window) -> Iterator[Point]:
    numbers: Counter[date] = Counter()
    for day, number in deployments.items():
        numbers[first_day(day, window.bucket)] += number
    for part in window.parts():
        number = numbers[first_day(part.first_day, window.bucket)]
        yield Point(part, number / part.days, number)


def _judged(window: Window, since: date, bucket: Bucket) -> list[date]:
    """The first days of the weeks or months that the class is judged by."""
    first = max(window.first_day, first_day(min(since, window.last_day), bucket))
    end = window.last_day + timedelta(days=1)
    touched = [first_day(first, bucket)]
    while (following := next_first_day(touched[-1], bucket)) < end:
        touched.append(following)
    return [each for each in touched if first <= each and next_first_day(each, bucket) <= end] or touched

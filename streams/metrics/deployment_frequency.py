"""Deployment frequency: how often a service is deployed (dora.dev, guides/dora-metrics, 2026).

    value = counted deployments in the window / calendar days of the window

The class follows the 2023 clusters in the way that Four Keys and Apache DevLake made usual: by medians, so
that one busy day does not make a team look fast.

    elite   the median week has deployments on at least 5 days (Four Keys cut at 3, DevLake cuts at 5)
    high    the median week has deployments on at least 1 day
    medium  the median month has deployments in at least 1 week
    low     else; no class at all without a deployment in the window

The cuts of each edition are in ``streams/metrics/editions``.

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
from streams.metrics.bands import steps
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


HALF = 6  # months
UNITS: Mapping[str, Bucket] = {
    "days": "day",
    "week": "week",
    "weeks": "week",
    "month": "month",
    "months": "month",
}


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the classes are cut: in ``edition``, but elite where ``elite_days_per_week`` says, if it does."""

    elite_days_per_week: float | None = None
    edition: str = METRIC.edition


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
    for step in steps(cuts.edition):
        units = {(_first_day(day, step.bucket), _first_day(day, step.unit)) for day in days}
        number = Counter(bucket for bucket, _ in units)
        at_least = step.at_least
        if step.performance == "elite" and cuts.elite_days_per_week is not None:
            at_least = cuts.elite_days_per_week
        if median(number[bucket] for bucket in _judged(window, since, step.bucket)) >= at_least:
            return step.performance
    return "low"


def _points(deployments: Mapping[date, int], window: Window) -> Iterator[Point]:
    numbers: Counter[date] = Counter()
    for day, number in deployments.items():
        numbers[first_day(day, window.bucket)] += number
    for part in window.parts():
        number = numbers[first_day(part.first_day, window.bucket)]
        yield Point(part, number / part.days, number)


def _judged(window: Window, since: date, bucket: str) -> list[date]:
    """The first days of the weeks, months or half-years that the class is judged by."""
    first = max(window.first_day, _first_day(min(since, window.last_day), bucket))
    end = window.last_day + timedelta(days=1)
    touched = [_first_day(first, bucket)]
    while (following := _next_first_day(touched[-1], bucket)) < end:
        touched.append(following)
    return [each for each in touched if first <= each and _next_first_day(each, bucket) <= end] or touched


def _first_day(day: date, bucket: str) -> date:
    """As of the calendar, which has no half-years; units are buckets in the plural."""
    if bucket == "half-year":
        return date(day.year, 1 if day.month <= HALF else HALF + 1, 1)
    return first_day(day, UNITS[bucket])


def _next_first_day(first: date, bucket: str) -> date:
    if bucket == "half-year":
        return next_first_day(next_first_day(first, "quarter"), "quarter")
    return next_first_day(first, UNITS[bucket])

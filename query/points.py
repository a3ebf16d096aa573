"""The points of a metric, each with the way to its evidence. A year of days has 365 of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from query.paging import location
from query.parameters import LARGEST_PAGE, MetricAsked
from query.selection import Environments
from schemas.calendar import rfc3339
from streams.metrics.window import Window

Point = tuple[Window, float | None, int]  # the bucket, its value, how many samples it is made of


class Evidence:
    """The address of the facts behind a point: ``path`` with what was asked for, and ``filters``."""

    def __init__(
        self, path: str, filters: Mapping[str, str], asked: MetricAsked, environments: Environments
    ) -> None:
        about: dict[str, Any] = {
            "service": asked.service,
            "team": asked.team,
            "environment": [] if environments.everything else environments.names,
            **filters,
        }
        # Encoded once: only the times differ from point to point.
        begin = location(path, about)
        self._begin = f"{begin}{'&' if '?' in begin else '?'}"

    def between(self, start: str, end: str) -> str:
        """The address for ``[start, end)``, two times as RFC 3339 writes them."""
        return f"{self._begin}from={_encoded(start)}&to={_encoded(end)}&limit={LARGEST_PAGE}"


def _encoded(time: str) -> str:
    # Not quote_plus: two of them for each point took a third of the time of an answer by day.
    return time.replace(":", "%3A").replace("+", "%2B")


def told(points: Iterable[Point], evidence: Evidence) -> list[dict[str, Any]]:
    """``points`` as they are answered."""

    @cache  # where one ends, the next one begins
    def time_of(instant: datetime, zone: Any) -> str:
        return rfc3339(instant, zone)

    found = []
    for window, value, samples in points:
        start, end = time_of(window.start, window.zone), time_of(window.end, window.zone)
        found.append(
            {
                "start": start,
                "end": end,
                "value": value,
                "sample_count": samples,
                "evidence": evidence.between(start, end),
            }
        )
    return found

"""Counting deployments in calendar windows, so that duplicates, late reports and corrections end right. Pure.

``placed`` remembers where each deployment was counted; a day window holds the digests of its deployments; a
week, month or year window holds ``{day: count}``. Nothing is ever incremented: every value follows from the
set of deployments, so the same event twice changes nothing, and an earlier report moves its deployment.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.calendar import Bucket, bucket_of, local_day
from schemas.instant import microseconds_of
from streams.facts import Deployment

Read = Callable[[Bucket, str, datetime], Any]  # (table, key, instant) -> stored value

COUNTING: tuple[Bucket, ...] = ("day", "week", "month", "year")
SEPARATOR = "\x1f"


class Placement(NamedTuple):
    """What is remembered of one deployment; as JSON, a list. Times in microseconds since the epoch."""

    evidence: int
    decided: int
    cd_source: str
    cd_id: str
    instant: int
    counted: bool
    service: str
    environment: str

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """As ``Deployment.rank``: the report of highest rank decides."""
        return (self.evidence, -self.decided, self.cd_source, self.cd_id)


class Value(NamedTuple):
    """One windowed value to write: bucket, key, an instant inside the window, and the new value."""

    bucket: Bucket
    key: str
    instant: datetime
    value: Any


@dataclass(slots=True)
class Span:
    """A week, month or year of one service and environment: how many deployments each of its days has."""

    bucket: Bucket
    start: float
    instant: datetime
    days: dict[str, int]


@dataclass(slots=True)
class Day:
    """A day of one service and environment: the digests of its deployments, and what spans it."""

    date: str
    start: float
    instant: datetime
    members: set[str]
    spans: list[Span]


class Tally:
    """The tables of one partition as one batch sees and changes them; ``read`` fetches what was stored.

    A window is read once and written once in a batch, however many deployments fall into it: a day with
    thousands of them would else be sorted for each.
    """

    def __init__(self, zone: ZoneInfo, read_placed: Callable[[str], Any], read: Read) -> None:
        self._zone = zone
        self._read_placed = read_placed
        self._read = read
        self.placed: dict[str, Placement] = {}
        self._days: dict[tuple[str, str, str], Day] = {}
        self._spans: dict[tuple[str, str, Bucket, float], Span] = {}

    def place(self, report: Deployment) -> None:
        """Count what ``report`` tells, taking back what an earlier report of the same deployment counted."""
        known = self._placement(report.deploy_id)
        told = placement_of(report)
        merged = told if known is None else merge(known, told)
        self.placed[report.deploy_id] = merged
        member = hashlib.blake2b(report.deploy_id.encode(), digest_size=16).hexdigest()
        if known is not None and known.counted and _place(known) != _place(merged):
            self._set_member(known, member, present=False)
        self._set_member(merged, member, present=merged.counted)

    def changed(self) -> list[Value]:
        """The windowed values of every bucket that was touched."""
        days = (
            Value("day", _key(service, environment), day.instant, sorted(day.members))
            for (service, environment, _), day in self._days.items()
        )
        spans = (
            Value(span.bucket, _key(service, environment), span.instant, span.days)
            for (service, environment, _, _), span in self._spans.items()
        )
        return [*days, *spans]

    def counts(self) -> dict[tuple[str, str, Bucket, float], tuple[int, int]]:
        """Deployments, and days with one, of every bucket that was touched.

        Each by its service, environment, size and start in seconds since the epoch.
        """
        days: dict[tuple[str, str, Bucket, float], tuple[int, int]] = {
            (service, environment, "day", day.start): (len(day.members), int(bool(day.members)))
            for (service, environment, _), day in self._days.items()
        }
        spans = {place: (sum(span.days.values()), len(span.days)) for place, span in self._spans.items()}
        return days | spans

    def _placement(self, deploy_id: str) -> Placement | None:
        if deploy_id in self.placed:
            return self.placed[deploy_id]
        stored = self._read_placed(deploy_id)
        return Placement(*stored) if stored else None

    def _set_member(self, where: Placement, member: str, *, present: bool) -> None:
        day = self._day(where)
        if present:
            day.members.add(member)
        else:
            day.members.discard(member)
        for span in day.spans:
            if day.members:
                span.days[day.date] = len(day.members)
            else:
                span.days.pop(day.date, None)

    def _day(self, where: Placement) -> Day:
        instant = datetime.fromtimestamp(where.instant / 1_000_000, UTC)
        date = local_day(instant, self._zone).isoformat()
        place = (where.service, where.environment, date)
        if place not in self._days:
            stored = self._read("day", _key(where.service, where.environment), instant)
            spans = [self._span(where, bucket, instant) for bucket in COUNTING[1:]]
            self._days[place] = Day(date, self._start("day", instant), instant, set(stored), spans)
        return self._days[place]

    def _span(self, where: Placement, bucket: Bucket, instant: datetime) -> Span:
        start = self._start(bucket, instant)
        place = (where.service, where.environment, bucket, start)
        if place not in self._spans:
            stored = self._read(bucket, _key(where.service, where.environment), instant)
            self._spans[place] = Span(bucket, start, instant, dict(stored))
        return self._spans[place]

    def _start(self, bucket: Bucket, instant: datetime) -> float:
        return bucket_of(instant, bucket, self._zone)[0].timestamp()


def _key(service: str, environment: str) -> str:
    return service + SEPARATOR + environment


def is_placement(value: object) -> bool:
    """Whether ``value``, read from JSON, is a placement of this version."""
    return isinstance(value, list) and len(value) == len(Placement._fields)


def placement_of(report: Deployment) -> Placement:
    """What the tables remember of ``report``."""
    return Placement(
        report.evidence,
        microseconds_of(report.decided_at),
        report.cd_source,
        report.cd_id,
        microseconds_of(report.time_created),
        report.counted,
        report.service,
        report.environment,
    )


def merge(one: Placement, other: Placement) -> Placement:
    """As ``streams.facts.merge``: highest rank decides, the earliest instant stays."""
    first, second = (one, other) if one.rank >= other.rank else (other, one)
    return first._replace(instant=min(first.instant, second.instant))


def _place(placement: Placement) -> tuple[int, str, str, bool]:
    return placement.instant, placement.service, placement.environment, placement.counted

"""Counting deployments in calendar windows, so that duplicates, late reports and corrections end right. Pure.

``placed`` remembers where each deployment was counted; a day window holds the digests of its deployments; a
week, month or year window holds ``{day: count}``. Nothing is ever incremented: every value follows from the
set of deployments, so the same event twice changes nothing, and an earlier report moves its deployment.
"""

import hashlib
from collections.abc import Callable, Mapping
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


class Tally:
    """The tables of one partition as one batch sees and changes them; ``read`` fetches what was stored."""

    def __init__(self, zone: ZoneInfo, read_placed: Callable[[str], Any], read: Read) -> None:
        self._zone = zone
        self._read_placed = read_placed
        self._read = read
        self.placed: dict[str, Placement] = {}
        self._values: dict[tuple[Bucket, str, float], Value] = {}
        self.counts: dict[tuple[str, str, Bucket, float], tuple[int, int]] = {}

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
        return list(self._values.values())

    def _placement(self, deploy_id: str) -> Placement | None:
        if deploy_id in self.placed:
            return self.placed[deploy_id]
        stored = self._read_placed(deploy_id)
        return Placement(*stored) if stored else None

    def _set_member(self, where: Placement, member: str, *, present: bool) -> None:
        key = where.service + SEPARATOR + where.environment
        instant = datetime.fromtimestamp(where.instant / 1_000_000, UTC)
        members = set(self._value("day", key, instant)[1])
        members = members | {member} if present else members - {member}
        self._write("day", where, instant, sorted(members))
        day = local_day(instant, self._zone).isoformat()
        for bucket in COUNTING[1:]:
            counts: Mapping[str, int] = self._value(bucket, key, instant)[1]
            rest = {other: count for other, count in counts.items() if other != day}
            self._write(bucket, where, instant, rest | {day: len(members)} if members else rest)

    def _value(self, bucket: Bucket, key: str, instant: datetime) -> tuple[float, Any]:
        start = bucket_of(instant, bucket, self._zone)[0].timestamp()
        held = self._values.get((bucket, key, start))
        return start, held.value if held is not None else self._read(bucket, key, instant)

    def _write(self, bucket: Bucket, where: Placement, instant: datetime, value: Any) -> None:
        key = where.service + SEPARATOR + where.environment
        start = bucket_of(instant, bucket, self._zone)[0].timestamp()
        self._values[bucket, key, start] = Value(bucket, key, instant, value)
        count = (len(value), int(bool(value))) if bucket == "day" else (sum(value.values()), len(value))
        self.counts[where.service, where.environment, bucket, start] = count


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

"""The sample events, as the tools that they come from would send them. Pure.

Everything about a day follows from its date, so that playing the samples again sends the same events with the
same ids, and playing them a week later adds a week.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from deploy.samples import cdevents, commits, kubernetes
from schemas.instant import format_instant

DAYS = 92  # three months
FIRST_REVISION_DAY = date(2020, 1, 1)  # revisions grow with the date, as a real object's do
ROLLOUTS_A_DAY = 8  # at most; keeps revisions of two days apart


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a service is delivered: by which tool, how often on a working day, and how often it fails."""

    service: str
    tool: str
    a_day: float
    fails: float


RHYTHMS = (
    Rhythm("checkout", "kubernetes", 2.4, 0.08),
    Rhythm("catalogue", "kubernetes", 0.9, 0.05),
    Rhythm("search", "kubernetes", 0.35, 0.15),
    Rhythm("payments", "jenkins", 0.6, 0.10),
    Rhythm("invoices", "jenkins", 0.15, 0.0),
    Rhythm("web", "tekton", 1.6, 0.12),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent to send in binary mode: attributes, and JSON data."""

    attributes: dict[str, str]
    data: dict[str, Any]

    @property
    def structured(self) -> dict[str, Any]:
        """The event in JSON format, for a batch."""
        return {**self.attributes, "datacontenttype": "application/json", "data": self.data}

    @property
    def body(self) -> bytes:
        """The data's bytes, for binary mode."""
        return orjson.dumps(self.data)


def events(until: datetime, days: int = DAYS) -> Iterator[Event]:
    """The events of ``days`` days up to ``until``, oldest first."""
    for back in range(days - 1, -1, -1):
        day = until.astimezone(UTC).date() - timedelta(days=back)
        of_day = [event for rhythm in RHYTHMS for event in day_of(rhythm, day)]
        yield from sorted(
            (event for event in of_day if event.attributes["time"] <= format_instant(until)),
            key=lambda event: event.attributes["time"],
        )


def day_of(rhythm: Rhythm, day: date) -> Iterator[Event]:
    """What one service's tool sends on one day. Nobody deploys much at weekends."""
    chance = Random(f"{rhythm.service} {day}")  # noqa: S311 - sample data
    wanted = rhythm.a_day * (0.1 if day.weekday() > 4 else 1.0)
    count = min(ROLLOUTS_A_DAY, int(wanted) + (chance.random() < wanted % 1))
    hours = sorted(chance.uniform(8.0, 17.5) for _ in range(count))
    for number, hour in enumerate(hours):
        at = datetime.combine(day, time(), UTC) + timedelta(hours=hour)
        failed = chance.random() < rhythm.fails
        revision = (day - FIRST_REVISION_DAY).days * ROLLOUTS_A_DAY + number + 1
        if rhythm.tool == "kubernetes":
            artifact = kubernetes.artifact(rhythm.service, revision)
            rollout = kubernetes.rollout(rhythm.service, revision, at, failed=failed)
        else:
            artifact = cdevents.artifact(rhythm.service, revision)
            rollout = cdevents.delivery(rhythm.service, rhythm.tool, revision, at, failed=failed)
        # A chance of its own, so that the days stay what they were.
        work = commits.delivered(rhythm.service, artifact, at, Random(artifact))  # noqa: S311
        for attributes, data in (*work, *rollout):
            yield Event(complete(attributes), data)


def complete(attributes: dict[str, str]) -> dict[str, str]:
    """Add what every event has; the id follows from everything else, so that it is the same each time."""
    id_ = attributes.get("id") or str(uuid5(NAMESPACE_URL, "\n".join(attributes.values())))
    return {"specversion": "1.0", **attributes, "id": id_}

"""Corrections: what people say of a deployment where the rules would say otherwise. Pure.

A correction is an event like any other (docs/operating.md, "Correct an attribution"), so a recompute replays
it.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.cdevents.event import CDEvent
from schemas.instant import microseconds_of
from streams.facts.told import content_of, instant_of, kind_of, text

SET = "dev.cdeventsx.dora-attribution.set"


@dataclass(frozen=True, slots=True)
class Correction:
    """The columns of the table ``corrections``; ``None`` lets the rules decide."""

    deploy_id: str
    decided_at: datetime
    failed: bool | None
    unplanned: bool | None
    cause: str | None
    cd_source: str
    cd_id: str

    @property
    def key(self) -> str:
        """What identifies it: of a deployment the last word counts."""
        return self.deploy_id

    @property
    def rank(self) -> tuple[int, str, str]:
        """The highest decides: the latest word."""
        return (microseconds_of(self.decided_at), self.cd_source, self.cd_id)


def correction_of(event: CDEvent) -> Correction | None:
    """The correction that ``event`` makes."""
    if kind_of(event) != SET:
        return None
    content = content_of(event)
    return Correction(
        event.subject_id,
        instant_of(event),
        _truth(content.get("failed")),
        _truth(content.get("unplanned")),
        text(content.get("cause")),
        event.source,
        event.id,
    )


def merge(one: Correction, other: Correction) -> Correction:
    """The later of two corrections of one deployment."""
    return max(one, other, key=lambda correction: correction.rank)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None

"""The health of an Application over time, and the incidents in it. Pure.

An incident begins when it becomes Degraded and ends when it is Healthy again; Progressing between is neither.
Argo CD tells since when the health is what it is, so messages may come in any order, and repeatedly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.instant import microseconds_of, parse_instant

BAD, GOOD = "Degraded", "Healthy"
MOST_REMEMBERED = 40  # changes of health; older ones are forgotten with the incidents between them

Episodes = Mapping[str, str]  # since when, as Argo CD writes it -> what the health was from then on


@dataclass(frozen=True, slots=True)
class Incident:
    """The time from ``began`` to ``ended``, RFC 3339 text; ``None`` while it lasts."""

    began: str
    ended: str | None


def remember(episodes: Episodes, since: str, status: str) -> Episodes:
    """``episodes`` and one more, the newest of them."""
    grown = {**episodes, since: status}
    return {at: grown[at] for at in sorted(grown, key=_place)[-MOST_REMEMBERED:]}


def incidents(episodes: Episodes) -> Iterator[Incident]:
    """Every incident in what is remembered."""
    good = [at for at, status in episodes.items() if status == GOOD]
    for began, status in episodes.items():
        if status == BAD:
            after = (at for at in good if _place(at) > _place(began))
            yield Incident(began, min(after, key=_place, default=None))


def _place(at: str) -> int:
    return microseconds_of(parse_instant(at))

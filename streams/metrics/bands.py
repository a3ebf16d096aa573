"""Where the classes are cut, by edition of the State of DevOps report: ``streams/metrics/editions/*.json``.

The report's own clusters leave gaps between them, and somebody has to say where one ends: each file names
who. 2024's failure rates do not rise from one cluster to the next, and 2025 has no clusters, so that neither
can be cut by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from streams.metrics.metric import Performance

EDITIONS = ("2021", "2023")


@dataclass(frozen=True, slots=True)
class Cuts:
    """The largest value of each class, ``low`` being above; ``inclusive``: a cut belongs to its class."""

    elite: float
    high: float
    medium: float
    inclusive: bool

    def performance(self, value: float | None) -> Performance | None:
        """The class of ``value``; none without one."""
        if value is None:
            return None
        named: tuple[tuple[Performance, float], ...] = (
            ("elite", self.elite),
            ("high", self.high),
            ("medium", self.medium),
        )
        for name, cut in named:
            if value < cut or (self.inclusive and value == cut):
                return name
        return "low"


@dataclass(frozen=True, slots=True)
class Step:
    """A class of the deployment frequency: in the median week, month or half-year at least so many units."""

    performance: Performance
    unit: Literal["days", "weeks", "months"]
    bucket: Literal["week", "month", "half-year"]
    at_least: float


def performance(metric: str, edition: str, value: float | None) -> Performance | None:
    """The class of a metric's value in an edition; none where the edition has no cuts for it."""
    cuts = bands(edition).get(metric)
    return None if cuts is None else cuts.performance(value)


@cache
def bands(edition: str) -> Mapping[str, Cuts]:
    """The cuts of an edition, by metric; none of an edition that cannot be cut by."""
    return {name: _cuts(told) for name, told in document(edition).get("bands", {}).items()}


@cache
def steps(edition: str) -> Sequence[Step]:
    """The classes of the deployment frequency in an edition, the best first; ``low`` is what reaches none."""
    return tuple(
        Step(told["class"], told["median_of"], told["in_each"], told["at_least"])
        for told in document(edition).get("frequency", ())
    )


def document(edition: str) -> Mapping[str, Any]:
    """An edition's file; empty for an edition without one."""
    if edition not in (*EDITIONS, "quick_check"):
        return {}
    file = files("streams.metrics").joinpath("editions", f"{edition}.json")
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _cuts(told: Mapping[str, Mapping[str, float]]) -> Cuts:
    (kind, cuts), *_ = told.items()
    return Cuts(**cuts, inclusive=kind == "up_to")

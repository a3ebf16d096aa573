"""Where the classes are cut, by edition of the State of DevOps report. Data, not code.

2023 as Apache DevLake cuts it (migrationscripts/20240223, dora_benchmarks), 2021 likewise: the report's own
clusters leave gaps between them, and somebody has to say where one ends. 2024's failure rates do not rise
from one cluster to the next, and 2025 has no clusters, so that neither can be cut by.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.metrics.metric import Performance

HOUR, DAY = 3600.0, 86_400.0
WEEK, MONTH = 7 * DAY, 30 * DAY


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


BANDS: Mapping[str, Mapping[str, Cuts]] = {
    "2023": {
        "change-lead-time": Cuts(DAY, WEEK, MONTH, inclusive=False),
        "change-failure-rate": Cuts(0.05, 0.10, 0.15, inclusive=True),
        "failed-deployment-recovery-time": Cuts(HOUR, DAY, WEEK, inclusive=False),
    },
    "2021": {
        "change-lead-time": Cuts(HOUR, WEEK, 6 * MONTH, inclusive=False),
        "change-failure-rate": Cuts(0.15, 0.20, 0.30, inclusive=True),
        "time-to-restore": Cuts(HOUR, DAY, WEEK, inclusive=False),
    },
}


def performance(metric: str, edition: str, value: float | None) -> Performance | None:
    """The class of a metric's value in an edition; none where the edition has no cuts for it."""
    cuts = BANDS.get(edition, {}).get(metric)
    return None if cuts is None else cuts.performance(value)

"""What a benchmark measures: figures of several rounds, each beside its target, and how they are found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from statistics import median
from typing import Any

import benchmarks


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at least ``least``, at most ``most``, in the figure's unit."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        """Whether ``value`` is on the right side."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity: a value for each round, in ``unit``. The median is what is quoted.

    ``group`` is the benchmark it came from; ``note`` what a reader has to know about how it was taken.
    """

    name: str
    unit: str
    values: Sequence[float]
    target: Target | None = None
    note: str = ""
    group: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; ``None`` without one."""
        return None if self.target is None else self.target.met(self.median)

    def told(self) -> dict[str, Any]:
        """As it is written to results."""
        return {
            "benchmark": self.group,
            "figure": self.name,
            "unit": self.unit,
            "median": self.median,
            "least": min(self.values),
            "most": max(self.values),
            "values": list(self.values),
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "note": self.note,
        }


def ratio(name: str, ours: Sequence[float], yardstick: Sequence[float], least: float) -> Figure:
    """Ours over the yardstick, round by round: both of a round ran within seconds of each other."""
    values = [mine / theirs for mine, theirs in zip(ours, yardstick, strict=True)]
    return Figure(name, "ratio", values, Target(least=least))


@dataclass(frozen=True)
class Options:
    """How to measure. ``quick`` keeps what is part of it under 40 seconds; ``say`` is told what goes on."""

    folder: Path
    quick: bool = False
    rounds: int = 5
    say: Callable[[str], None] = field(default=lambda _: None)
    further: dict[str, Any] = field(default_factory=dict)

    def sized(self, whole: int, quick: int) -> int:
        """A number of events or seconds, for a whole or a quick run."""
        return quick if self.quick else whole

    def events(self, whole: int, quick: int) -> int:
        """A number of events that the caller may have chosen: ``further`` may hold ``events``."""
        return int(self.further.get("events") or self.sized(whole, quick))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement: its name on the command line, what it is about, and the function that takes it.

    ``quick`` says whether it is part of ``dora bench --quick``.
    """

    name: str
    about: str
    run: Callable[[Options], Sequence[Figure]]
    quick: bool = True


def find_benchmarks() -> dict[str, Benchmark]:
    """Every module of ``benchmarks`` that holds a ``BENCHMARK``, by its name."""
    found: dict[str, Benchmark] = {}
    for module in iter_modules(benchmarks.__path__):
        each = getattr(import_module(f"benchmarks.{module.name}"), "BENCHMARK", None)
        if isinstance(each, Benchmark) and found.setdefault(each.name, each) is not each:
            raise ValueError(f"two benchmarks are called {each.name!r}; rename one in benchmarks/")
    return dict(sorted(found.items()))

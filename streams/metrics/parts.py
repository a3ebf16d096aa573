"""What metrics of failures and of durations have in common: answers over a window and each of its buckets."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streams.metrics.metric import Performance
from streams.metrics.ranks import percentile, percentile_of_runs
from streams.metrics.window import Window


@dataclass(frozen=True, slots=True)
class Sample:
    """One duration, and the instant by which it is placed; ``None`` seconds: it is not over."""

    at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many."""

    hits: int
    total: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.hits + other.hits, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket; no value when there is nothing in it to take one from."""

    window: Window
    value: float | None
    sample_count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The value over a whole window; ``points`` has every bucket. ``skewed`` samples were left out."""

    value: float | None
    performance: Performance | None
    sample_count: int
    points: Sequence[Point]
    skewed: int = 0


class Parts:
    """The buckets of a window, by which instants are sorted into them."""

    def __init__(self, window: Window) -> None:
        self.windows = list(window.parts())
        self.starts = [part.start.astimezone(UTC) for part in self.windows]
        self._window = window

    def index(self, at: datetime) -> int | None:
        """The bucket that holds ``at``; ``None`` outside of the window."""
        inside = self._window.start <= at < self._window.end
        return bisect_right(self.starts, at) - 1 if inside else None

    def durations(self, samples: Iterable[Sample]) -> list[list[float]]:
        """The seconds of those samples that are over, by bucket."""
        found: list[list[float]] = [[] for _ in self.windows]
        for sample in samples:
            index = self.index(sample.at)
            if index is not None and sample.seconds is not None:
                found[index].append(sample.seconds)
        return found

    def counts(self, placed: Iterable[tuple[datetime, bool]]) -> list[Count]:
        """How many are true, of how many, by bucket."""
        found = [Count(0, 0) for _ in self.windows]
        for at, hit in placed:
            index = self.index(at)
            if index is not None:
                found[index] += Count(int(hit), 1)
        return found


def durations(window: Window, parts: Sequence[Iterable[float]], fraction: float) -> Answer:
    """Percentiles of the seconds in each bucket. Negative ones, of clocks that disagree, are left out."""
    told = [sorted(part) for part in parts]
    kept = [part if not part or part[0] >= 0 else part[bisect_left(part, 0.0) :] for part in told]
    points = [
        Point(part, percentile(seconds, fraction), len(seconds))
        for part, seconds in zip(window.parts(), kept, strict=True)
    ]
    number = sum(map(len, kept))
    skewed = sum(map(len, told)) - number
    return Answer(percentile_of_runs(kept, fraction), None, number, points, skewed)


def ratios(window: Window, parts: Sequence[Count]) -> Answer:
    """Hits / total of each bucket."""
    whole = sum(parts, Count(0, 0))
    points = [
        Point(part, _ratio(count), count.total) for part, count in zip(window.parts(), parts, strict=True)
    ]
    return Answer(_ratio(whole), None, whole.total, points)


def _ratio(count: Count) -> float | None:
    return count.hits / count.total if count.total else None

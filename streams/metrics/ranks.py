"""Percentiles, as PostgreSQL's ``percentile_cont`` has them: between two values where it falls there.

Those of a long window are taken from the sorted values of its parts, without sorting them all again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Run = Sequence[float]


def percentile(ordered: Run, fraction: float) -> float | None:
    """The value below which ``fraction`` of the sorted values lie; ``None`` of nothing."""
    return percentile_of_runs([ordered], fraction)


def percentile_of_runs(runs: Sequence[Run], fraction: float) -> float | None:
    """The percentile of the values of all ``runs``, each of which is sorted; ``None`` of nothing."""
    total = sum(map(len, runs))
    if not total:
        return None
    place = fraction * (total - 1)
    low = int(place)
    below, above = ranked(runs, low), ranked(runs, min(low + 1, total - 1))
    return below + (above - below) * (place - low)


def ranked(runs: Sequence[Run], rank: int) -> float:
    """The value that has ``rank`` values before it when those of all sorted ``runs`` are sorted together.

    Each round looks at the middles of what is left of the runs, and leaves out at least a quarter of it.
    """
    spans = [(run, 0, len(run)) for run in runs if run]
    while len(spans) > 1:
        pivot = _middle(spans)
        lefts = [bisect_left(run, pivot, begin, end) for run, begin, end in spans]
        before = sum(left - begin for left, (_, begin, _) in zip(lefts, spans, strict=True))
        if rank < before:
            cut = [(run, begin, left) for left, (run, begin, _) in zip(lefts, spans, strict=True)]
        else:
            rights = [bisect_right(run, pivot, begin, end) for run, begin, end in spans]
            through = sum(right - begin for right, (_, begin, _) in zip(rights, spans, strict=True))
            if rank < through:
                return pivot
            rank -= through
            cut = [(run, right, end) for right, (run, _, end) in zip(rights, spans, strict=True)]
        spans = [span for span in cut if span[1] < span[2]]
    run, begin, _ = spans[0]
    return run[begin + rank]


def _middle(spans: Sequence[tuple[Run, int, int]]) -> float:
    """The median of the runs' middles, each as heavy as its run is long."""
    middles = sorted((run[(begin + end) // 2], end - begin) for run, begin, end in spans)
    half = sum(length for _, length in middles) / 2
    weight = 0
    for value, length in middles:
        weight += length
        if weight >= half:
            return value
    return middles[-1][0]

"""The score from 0 to 10 of dora.dev's quick check: six steps of a time or a frequency, or a share reversed.

    score = 2 x (steps below it), of lead time, recovery time and frequency
    score = 10 x (1 - share), of failure and rework rate

Higher is better, and the score of a service is the mean of those that are known. The quick check asks people
to choose an answer; here it is chosen by the measured value (``streams/metrics/editions/quick_check.json``).
"On demand" is no rate: more than one deployment an hour is taken for it.
"""

from collections.abc import Iterable

from streams.metrics.bands import document

EDITION = "quick_check"
BEST = 10.0
STEPS = 5  # from the first of six answers to the last


def score(metric: str, value: float | None) -> float | None:
    """The score of a metric's value; none without a value, or of a metric that the quick check leaves out."""
    told = document(EDITION)
    if value is None:
        return None
    if metric in told["shares"]:
        return float(BEST * (1 - value))
    steps = told["steps"].get(metric)
    if steps is None:
        return None
    below, at_least = steps.get("below", ()), steps.get("at_least", ())
    reached = sum(value < cut for cut in below) + sum(value >= cut for cut in at_least)
    return float(BEST * reached / STEPS)


def mean_score(scores: Iterable[float | None]) -> float | None:
    """The mean of the scores that are known; none when none is."""
    known = [each for each in scores if each is not None]
    return sum(known) / len(known) if known else None

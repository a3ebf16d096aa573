"""Time to restore service: how long incidents last, whatever caused them (DORA until 2022).

    value = percentile over incidents of (resolved - detected)

Beside the failed deployment recovery time, which replaced it in 2023 and leaves out what no deployment
caused. Placed when the incident was detected. An open incident has no duration and is told apart; one that
was opened again is open. Classes: ``streams/metrics/bands.py``, of 2021.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from streams.facts import Incident
from streams.links.failures import end_of
from streams.metrics.bands import performance
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Sample, durations
from streams.metrics.window import Window

METRIC = Metric(
    name="time-to-restore",
    definition=(
        "The median time from the detection of an incident to its end, over the incidents detected in the "
        "window, whatever caused them. Open ones are told apart."
    ),
    unit="seconds",
    edition="2021",
)


def time_to_restore(
    window: Window, parts: Sequence[Iterable[float]], *, fraction: float = 0.5, edition: str = METRIC.edition
) -> Answer:
    """The duration of incidents, whose seconds are given for each bucket of ``window``."""
    found = durations(window, parts, fraction)
    return replace(found, performance=performance(METRIC.name, edition, found.value))


def samples(incidents: Iterable[Incident]) -> Iterator[Sample]:
    """The durations of incidents whose beginning is known."""
    for each in incidents:
        begin, end = each.detected_at, end_of(each)
        if begin is not None:
            yield Sample(begin, None if end is None else (end - begin).total_seconds())

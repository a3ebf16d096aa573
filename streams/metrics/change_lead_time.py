"""Change lead time: how long a change takes from version control to production (dora.dev, 2026).

    value = percentile over changes of (time of the first successful deployment that contains it
                                        - time at which the commit was made)

A change is a commit. Merge commits and what a squash or a rebase made of other commits are no work of their
own and have no lead time; a merged change none of whose commits is known stands for them, from its proposal
on. The first deployment is that of each service and environment. Placed at the deployment's time. Where
clocks say that a change was deployed before it was made, it is counted as such and left out. Nothing is left
out for being fast, and changes that are not deployed yet have no lead time.

The median, because one old branch says nothing about the others. Classes: ``streams/metrics/bands.py``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from streams.links import DeployedChange
from streams.metrics.bands import performance
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Sample, durations
from streams.metrics.window import Window

METRIC = Metric(
    name="change-lead-time",
    definition=(
        "The median time from a commit to the first successful deployment that contains it, over the commits "
        "first deployed in the window. Merge commits and squashed or rebased copies are no work of their own "
        "and are left out, as are changes whose clocks disagree."
    ),
    unit="seconds",
    edition="2023",
)


def change_lead_time(
    window: Window, parts: Sequence[Iterable[float]], *, fraction: float = 0.5, edition: str = METRIC.edition
) -> Answer:
    """The lead time of changes, whose seconds are given for each bucket of ``window``."""
    found = durations(window, parts, fraction)
    return replace(found, performance=performance(METRIC.name, edition, found.value))


def samples(changes: Iterable[DeployedChange]) -> Iterator[Sample]:
    """The lead times of deployed changes."""
    return (Sample(each.deployed_at, each.lead_seconds) for each in changes)

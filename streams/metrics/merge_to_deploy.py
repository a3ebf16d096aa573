"""Merge to deploy: how long a merged change waits for its deployment. Not one of DORA's five.

    value = percentile over merged changes of (time of the first successful deployment that contains it
                                               - time of the merge)

The part of the lead time that delivery, and not review, takes; the same however changes are merged. Placed at
the deployment's time. No edition has classes for it.
"""

from collections.abc import Iterable, Iterator, Sequence

from streams.links import DeployedChange
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Sample, durations
from streams.metrics.window import Window

METRIC = Metric(
    name="merge-to-deploy",
    definition=(
        "The median time from the merge of a change to the first successful deployment that contains it, "
        "over the merged changes first deployed in the window."
    ),
    unit="seconds",
    edition="none",
)


def merge_to_deploy(window: Window, parts: Sequence[Iterable[float]], *, fraction: float = 0.5) -> Answer:
    """The waiting time of merged changes, whose seconds are given for each bucket of ``window``."""
    return durations(window, parts, fraction)


def samples(changes: Iterable[DeployedChange]) -> Iterator[Sample]:
    """The waiting times of deployed changes."""
    return (Sample(each.deployed_at, each.merge_seconds) for each in changes)

"""Failed deployment recovery time: how long a deployment that failed takes to recover (dora.dev, 2026).

    value = percentile over failed deployments of (recovery - deployment)

Recovery is the end of the incident that failed it, of all of them when there were several; else the rollback,
or the deployment that brought the revert or the hotfix. Placed at the failed deployment's time, so that it is
about the same deployments as the change failure rate. What has not recovered has no duration and is told
apart. Classes: ``streams/metrics/bands.py``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from streams.links import Attribution
from streams.metrics.bands import performance
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Sample, durations
from streams.metrics.window import Window

METRIC = Metric(
    name="failed-deployment-recovery-time",
    definition=(
        "The median time from a failed deployment of the window to its recovery: the end of its incident, "
        "else the rollback, or the deployment of the revert or hotfix. Those that have not recovered are "
        "told apart."
    ),
    unit="seconds",
    edition="2023",
)


def failed_deployment_recovery_time(
    window: Window, parts: Sequence[Iterable[float]], *, fraction: float = 0.5, edition: str = METRIC.edition
) -> Answer:
    """The recovery time of failed deployments, whose seconds are given for each bucket of ``window``."""
    found = durations(window, parts, fraction)
    return replace(found, performance=performance(METRIC.name, edition, found.value))


def samples(attributions: Iterable[Attribution]) -> Iterator[Sample]:
    """The recovery times of failed deployments."""
    return (
        Sample(each.deployed_at, each.recovery_seconds)
        for each in attributions
        if each.role == "counted" and each.failure_rule is not None
    )

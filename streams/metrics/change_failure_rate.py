"""Change failure rate: the share of deployments that needed immediate intervention (dora.dev, 2026).

    value = failed counted deployments / counted deployments

Both placed at the deployment's time, and a deployment fails once however many incidents it had, so that the
value cannot pass 1. What makes a deployment fail: ``streams/links/failures.py``. Failed rollouts never
reached anybody and are in neither number. Classes: ``streams/metrics/bands.py``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from streams.links import Attribution
from streams.metrics.bands import performance
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Count, ratios
from streams.metrics.window import Window

METRIC = Metric(
    name="change-failure-rate",
    definition=(
        "Counted deployments of the window that failed, divided by all counted deployments of the window. "
        "A deployment failed when, in this order, a correction says so, an incident names it, it was rolled "
        "back, a change of it was reverted, the next deployment was a hotfix, or it was the last one before "
        "an incident of its service and environment within the configured time."
    ),
    unit="ratio",
    edition="2023",
)


def change_failure_rate(window: Window, parts: Sequence[Count], *, edition: str = METRIC.edition) -> Answer:
    """The rate from the failed and all counted deployments in each bucket of ``window``."""
    found = ratios(window, parts)
    return replace(found, performance=performance(METRIC.name, edition, found.value))


def placed(attributions: Iterable[Attribution]) -> Iterator[tuple[datetime, bool]]:
    """When each counted deployment was, and whether it failed."""
    return (
        (each.deployed_at, each.failure_rule is not None) for each in attributions if each.role == "counted"
    )

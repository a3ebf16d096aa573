"""Deployment rework rate: the share of deployments that were unplanned repairs (dora.dev, 2026; new in 2024).

    value = (rollbacks + unplanned counted deployments) / (rollbacks + counted deployments)

Unplanned is, by the first rule that matches, what a correction calls so, what is marked as a hotfix, what
takes back a change that was deployed before, and what ended an incident: ``streams/links/rework.py``. No
edition has classes for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from streams.links import Attribution
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Count, ratios
from streams.metrics.window import Window

METRIC = Metric(
    name="deployment-rework-rate",
    definition=(
        "Rollbacks and unplanned counted deployments of the window, divided by all rollbacks and counted "
        "deployments of the window. Unplanned are hotfixes, reverts of what was deployed, and the last "
        "deployment before an incident of its service and environment was over."
    ),
    unit="ratio",
    edition="2024",
)


def deployment_rework_rate(window: Window, parts: Sequence[Count]) -> Answer:
    """The rate from the unplanned and all deployments and rollbacks in each bucket of ``window``."""
    return ratios(window, parts)


def placed(attributions: Iterable[Attribution]) -> Iterator[tuple[datetime, bool]]:
    """When each deployment and rollback was, and whether it was rework."""
    return ((each.deployed_at, each.rework_rule is not None) for each in attributions)

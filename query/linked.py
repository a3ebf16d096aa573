"""The metrics that need links: which rows each is made of, and the answer that its pure function gives.

PostgreSQL sorts the samples into buckets and environments; what they amount to, the metric says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from query.database import Reading, Row
from query.selection import Selection
from streams.metrics import (
    change_failure_rate,
    change_lead_time,
    deployment_rework_rate,
    failed_deployment_recovery_time,
    merge_to_deploy,
    time_to_restore,
)
from streams.metrics.metric import Metric
from streams.metrics.parts import Answer, Count, Parts
from streams.metrics.window import Window


@dataclass(frozen=True, slots=True)
class Linked:
    """A metric, the statement that finds its samples, the function that it is, and where its evidence is.

    Of a ratio, ``count`` says what of a row is counted; a duration has none.
    """

    metric: Metric
    statement: str
    measure: Callable[..., Answer]
    evidence: tuple[str, dict[str, str]]
    count: Callable[[Row], Count] | None = None


LINKED: Sequence[Linked] = (
    Linked(
        change_lead_time.METRIC,
        "lead_parts",
        change_lead_time.change_lead_time,
        ("/v1/changes", {"deployed": "true", "measured": "change-lead-time"}),
    ),
    Linked(
        merge_to_deploy.METRIC,
        "merge_parts",
        merge_to_deploy.merge_to_deploy,
        ("/v1/changes", {"deployed": "true", "measured": "merge-to-deploy"}),
    ),
    Linked(
        failed_deployment_recovery_time.METRIC,
        "recovery_parts",
        failed_deployment_recovery_time.failed_deployment_recovery_time,
        ("/v1/deployments", {"counted": "true", "failed": "true"}),
    ),
    Linked(
        time_to_restore.METRIC,
        "restore_parts",
        time_to_restore.time_to_restore,
        ("/v1/incidents", {}),
    ),
    Linked(
        change_failure_rate.METRIC,
        "attribution_parts",
        change_failure_rate.change_failure_rate,
        ("/v1/deployments", {"counted": "true"}),
        lambda row: Count(row["failed"], row["counted"]),
    ),
    Linked(
        deployment_rework_rate.METRIC,
        "attribution_parts",
        deployment_rework_rate.deployment_rework_rate,
        ("/v1/deployments", {"unplanned": "true"}),
        lambda row: Count(row["unplanned"], row["deployments"]),
    ),
)


async def rows_of(reading: Reading, statement: str, chosen: Selection, window: Window) -> Sequence[Row]:
    """The samples of ``window``, by environment and bucket."""
    starts = Parts(window).starts
    return await reading.rows(statement, chosen.services, chosen.environments, starts, window.end)


def measure(linked: Linked, rows: Sequence[Row], window: Window, fraction: float) -> Answer:
    """The metric over the samples in ``rows``."""
    parts = Parts(window).windows
    if linked.count is not None:
        counts = [Count(0, 0)] * len(parts)
        for row in rows:
            counts[row["part"]] += linked.count(row)
        return linked.measure(window, counts)
    seconds: list[list[float]] = [[] for _ in parts]
    for row in rows:
        seconds[row["part"]] += row["seconds"] or []
    return linked.measure(window, seconds, fraction=fraction)


def defined(metric: Metric, percentile: int) -> dict[str, Any]:
    """What the metric says of itself, for the percentile that was asked for."""
    told = metric.definition
    if percentile != 50:
        told = told.replace("The median", f"Percentile {percentile} of the", 1)
    return {"metric": metric.name, "definition": told, "unit": metric.unit, "edition": metric.edition}

"""The metrics that need links: which rows each is made of, and the answer that its pure function gives.

PostgreSQL sorts the samples into buckets and environments; what they amount to, the metric says. The cost is
that of the days of the window, and not of what happened in them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from query.database import Reading, Row
from query.selection import Selection
from query.window import has_whole_days
from schemas.packed import unpack
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


async def read(
    reading: Reading, linked: Linked, chosen: Selection, window: Window, configured: ZoneInfo
) -> tuple[Sequence[Row], Sequence[Row]]:
    """The samples of ``window``, and its deployments; both by environment and bucket.

    Whole days of the configured zone are in ``link_days``, a row each; in another zone, or for a part of a
    day, every deployment and change inside the window is read.
    """
    whole = window.zone.key == configured.key and has_whole_days(window)
    if whole and not await _is_behind(reading):
        deployed = await _rows(reading, "link_days_parts", chosen, window, linked.metric.name)
        from_days = linked.statement != "restore_parts"
    else:
        deployed = await _rows(reading, "attribution_parts", chosen, window)
        from_days = linked.statement == "attribution_parts"
    return deployed if from_days else await _rows(reading, linked.statement, chosen, window), deployed


async def _is_behind(reading: Reading) -> bool:
    row = await reading.row("links_without_day")
    return row is None or bool(row["some"])


async def _rows(
    reading: Reading, statement: str, chosen: Selection, window: Window, *further: str
) -> Sequence[Row]:
    starts = Parts(window).starts
    return await reading.rows(statement, chosen.services, chosen.environments, starts, window.end, *further)


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
        seconds[row["part"]] += _seconds(row)
    return linked.measure(window, seconds, fraction=fraction)


def _seconds(row: Row) -> Sequence[float]:
    """The durations of a row: an array, or packed."""
    if "packed" in row:
        return unpack(row["packed"] or b"")
    return row["seconds"] or ()


def defined(metric: Metric, percentile: int) -> dict[str, Any]:
    """What the metric says of itself, for the percentile that was asked for."""
    told = metric.definition
    if percentile != 50:
        told = told.replace("The median", f"Percentile {percentile} of the", 1)
    return {"metric": metric.name, "definition": told, "unit": metric.unit, "edition": metric.edition}

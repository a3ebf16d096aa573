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


OF_CHANGES = ("lead_parts", "merge_parts")
FEW_SERVICES = 50  # a team; measured: 20 ms from the index of changes, 40 ms from the deployments of 20

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
    day, every deployment inside the window is read. It has the times of its changes with it, but of few
    services an index of changes gives them from fewer pages.
    """
    without_day, without_times = await _is_behind(reading)
    if window.zone.key == configured.key and has_whole_days(window) and not without_day:
        kept, enough = "link_days_parts", linked.statement != "restore_parts"
    else:
        kept, enough = "attribution_parts", linked.statement == "attribution_parts"
        enough = enough or (linked.statement in OF_CHANGES and _are_many(chosen) and not without_times)
    # Metrics without a change in them read the same rows, which a reading finds once.
    packed = linked.metric.name if enough and linked.statement in OF_CHANGES else ""
    deployed = await _rows(reading, kept, chosen, window, packed)
    return deployed if enough else await _rows(reading, linked.statement, chosen, window), deployed


def _are_many(chosen: Selection) -> bool:
    return chosen.services is None or len(chosen.services) > FEW_SERVICES


async def _is_behind(reading: Reading) -> tuple[bool, bool]:
    """Whether links of an older version are there that lack their day, or the times of their changes."""
    (row,) = await reading.rows("links_behind")
    return bool(row["without_day"]), bool(row["without_times"])


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

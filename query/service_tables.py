"""What the charts of a service's page are drawn from, whole: a row for each deployment or change."""

from collections.abc import Iterable, Sequence
from typing import Any

from query.context import Context
from query.database import Row
from query.problems import TooLarge
from query.service_view import ServiceFilters, reading_of
from query.timeline import deployed, deployments
from query.wording import state_of
from schemas.calendar import rfc3339

MOST_ROWS = 20_000

DEPLOYMENTS = (
    *("time", "environment", "state", "deploy_id", "kind", "outcome", "counted", "counted_reason"),
    *("commit", "artifact", "failure_rule", "failure_cause", "recovered_at", "rework_rule"),
)
CHANGES = ("deployed_at", "environment", "lead_seconds", "deploy_id", "repository", "change_id", "rule")

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


async def service_table(here: Context, service: str, chosen: ServiceFilters) -> Table:
    """The columns and rows of the chart that ``chosen.csv`` names. Raises ``TooLarge``."""
    async with reading_of(here, service, chosen) as (reading, about):
        most = MOST_ROWS + 1
        is_timeline = chosen.csv == "timeline"
        find = deployments if is_timeline else deployed
        rows = await find(reading, service, about.names, about.window, most)
    if len(rows) == most:
        raise TooLarge(f"The period has more than {MOST_ROWS} rows; choose a shorter one.")
    shape = _deployment if is_timeline else _change
    return (DEPLOYMENTS if is_timeline else CHANGES), [shape(row, about.zone) for row in rows]


def _deployment(row: Row, zone: Any) -> Sequence[Any]:
    told = {**row, "time": rfc3339(row["time_created"], zone), "state": state_of(row).word}
    told["recovered_at"] = row["recovered_at"] and rfc3339(row["recovered_at"], zone)
    return [told[name] for name in DEPLOYMENTS]


def _change(row: Row, zone: Any) -> Sequence[Any]:
    told = {**row, "deployed_at": rfc3339(row["deployed_at"], zone)}
    return [told[name] for name in CHANGES]

"""``/v1/metrics``: each number with its definition, its window, its class and the way to its evidence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from query.answers import MetricAnswer, Metrics, reply
from query.comparison import whole_answer
from query.context import Context, Here
from query.database import Reading
from query.formats import WRITTEN, written
from query.frequency import Days, days_by_counting, days_of_table
from query.metrics import metrics
from query.parameters import MetricAsked, NothingAsked, only
from query.points import Evidence, told
from query.problems import DOCUMENTED
from query.selection import Environments, Selection, environments_of, selection
from query.window import has_whole_days
from schemas.calendar import local_day, rfc3339
from streams.metrics.deployment_frequency import METRIC, Cuts, Frequency, deployment_frequency
from streams.metrics.window import Window

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])


@router.get("", dependencies=[only(NothingAsked)], response_model=Metrics, responses=DOCUMENTED)
async def index() -> Response:
    """The metrics that can be asked for."""
    return reply({"items": [asdict(each) | {"url": f"/v1/metrics/{each.name}"} for each in metrics()]})


@router.get(
    f"/{METRIC.name}",
    dependencies=[only(MetricAsked)],
    response_model=MetricAnswer,
    responses=DOCUMENTED | WRITTEN,
)
async def frequency(asked: Annotated[MetricAsked, Query()], here: Here, request: Request) -> Response:
    """How often the selected services are deployed, over the window and in each of its buckets."""
    return written(await whole_answer(asked, here, frequency_of), asked, request)


async def frequency_of(
    reading: Reading,
    asked: MetricAsked,
    here: Context,
    window: Window,
    configured: ZoneInfo,
    *,
    warn: bool = True,
) -> dict[str, Any]:
    """The frequency over ``window`` and in each of its buckets."""
    chosen = await selection(
        reading, here, service=asked.service, team=asked.team, environments=asked.environment
    )
    kept = window.zone.key == configured.key and has_whole_days(window)
    source = days_of_table if kept else days_by_counting
    days = await source(reading, window.zone, chosen, window.start, window.end)
    environments = environments_of(here.catalog, asked.environment, days)
    chosen = Selection(chosen.services, None if environments.everything else environments.names)
    since = await _first(reading, "first_day" if kept else "first_counted", chosen, window)
    warnings = [
        *scope_warnings(asked, chosen, environments),
        *(await channel_warnings(reading, here, chosen, window) if warn else ()),
    ]
    cuts = Cuts(elite_days_per_week=here.settings.elite_days_per_week)
    found = deployment_frequency(_sum(days, environments), window, since=since, cuts=cuts)
    return _told(found, window, asked, environments) | {"warnings": warnings}


async def _first(reading: Reading, statement: str, chosen: Selection, window: Window) -> date | None:
    row = await reading.row(statement, chosen.services, chosen.environments)
    return None if row is None else local_day(row["first"], window.zone)


def _sum(days: Days, environments: Environments) -> Counter[date]:
    total: Counter[date] = Counter()
    for environment in environments.names:
        total.update(days.get(environment, {}))
    return total


def scope_warnings(asked: MetricAsked, chosen: Selection, environments: Environments) -> Iterator[str]:
    """What the choice of services and environments leaves to be said."""
    if environments.everything:
        yield (
            "The catalog declares no production environment, so all environments are counted together; "
            "declare them under 'production', or ask for one with 'environment'."
        )
    if asked.team is not None and not chosen.services:
        yield f"The catalog gives no service to team {asked.team!r}."


async def channel_warnings(
    reading: Reading, here: Context, chosen: Selection, window: Window
) -> Sequence[str]:
    """Services whose deployments may be counted twice, because several channels report them."""
    rows = await reading.rows("channels", chosen.services, chosen.environments, window.start, window.end)
    return [
        f"Service {row['service']!r} is reported by several channels ({', '.join(row['channels'])}), and all "
        "count; name the one that does under 'deployments_from' in the catalog."
        for row in rows
        if here.catalog.deployments_from(row["service"]) is None
    ]


def _told(found: Frequency, window: Window, asked: MetricAsked, environments: Environments) -> dict[str, Any]:
    metric = asdict(METRIC)
    evidence = Evidence("/v1/deployments", {"counted": "true"}, asked, environments)
    return {
        "metric": metric.pop("name"),
        **metric,
        "from": rfc3339(window.start, window.zone),
        "to": rfc3339(window.end, window.zone),
        "bucket": window.bucket,
        "timezone": window.zone.key,
        "environments": environments.names,
        "value": found.value,
        "class": found.performance,
        "sample_count": found.deployments,
        # A deployment is its own evidence: this metric links it to nothing else.
        "coverage": {"linked": found.deployments, "total": found.deployments},
        "points": told(((point.window, point.value, point.deployments) for point in found.points), evidence),
    }

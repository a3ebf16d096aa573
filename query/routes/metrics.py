"""``/v1/metrics``: each number with its definition, its window, its class and the way to its evidence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import MetricAnswer, Metrics, reply
from query.context import Context, Here
from query.database import Reading
from query.frequency import Days, configured_zone, days_by_counting, days_of_table
from query.metrics import metrics
from query.paging import location
from query.parameters import LARGEST_PAGE, MetricAsked, NothingAsked, only
from query.problems import DOCUMENTED
from query.selection import Environments, Selection, environments_of, selection
from query.window import has_whole_days, window_of
from schemas.calendar import local_day, rfc3339, zone_of
from streams.metrics.deployment_frequency import METRIC, Cuts, Frequency, deployment_frequency
from streams.metrics.window import Window

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])


@router.get("", dependencies=[only(NothingAsked)], response_model=Metrics, responses=DOCUMENTED)
async def index() -> Response:
    """The metrics that can be asked for."""
    return reply({"items": [asdict(each) | {"url": f"/v1/metrics/{each.name}"} for each in metrics()]})


@router.get(
    f"/{METRIC.name}", dependencies=[only(MetricAsked)], response_model=MetricAnswer, responses=DOCUMENTED
)
async def frequency(asked: Annotated[MetricAsked, Query()], here: Here) -> Response:
    """How often the selected services are deployed, over the window and in each of its buckets."""
    async with here.database.reading() as reading:
        configured = await configured_zone(reading, here.settings)
        window = window_of(
            asked, configured if asked.timezone is None else zone_of(asked.timezone), here.now()
        )
        chosen = await selection(
            reading, here.catalog, service=asked.service, team=asked.team, environments=asked.environment
        )
        kept = window.zone.key == configured.key and has_whole_days(window)
        source = days_of_table if kept else days_by_counting
        days = await source(reading, window.zone, chosen, window.start, window.end)
        environments = environments_of(here.catalog, asked.environment, days)
        chosen = Selection(chosen.services, None if environments.everything else environments.names)
        since = await _first(reading, "first_day" if kept else "first_counted", chosen, window)
        warnings = [
            *scope_warnings(asked, chosen, environments),
            *await channel_warnings(reading, here, chosen, window),
        ]
    cuts = Cuts(elite_days_per_week=here.settings.elite_days_per_week)
    found = deployment_frequency(_sum(days, environments), window, since=since, cuts=cuts)
    return reply(_told(found, window, asked, environments) | {"warnings": warnings})


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
        "points": [
            {
                "start": rfc3339(point.window.start, window.zone),
                "end": rfc3339(point.window.end, window.zone),
                "value": point.value,
                "sample_count": point.deployments,
                "evidence": _evidence(point.window, asked, environments),
            }
            for point in found.points
        ],
    }


def _evidence(window: Window, asked: MetricAsked, environments: Environments) -> str:
    return location(
        "/v1/deployments",
        {
            "service": asked.service,
            "team": asked.team,
            "environment": [] if environments.everything else environments.names,
            "counted": "true",
            "from": rfc3339(window.start, window.zone),
            "to": rfc3339(window.end, window.zone),
            "limit": LARGEST_PAGE,
        },
    )

"""``/v1/metrics/{metric}`` of the metrics that need links between deployments, changes and incidents."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import MetricAnswer, reply
from query.context import Context, Here
from query.database import Row
from query.frequency import configured_zone
from query.linked import LINKED, Linked, defined, measure, rows_of
from query.paging import location
from query.parameters import LARGEST_PAGE, DurationAsked, MetricAsked, only
from query.problems import DOCUMENTED
from query.routes.metrics import channel_warnings, scope_warnings
from query.selection import Environments, Selection, environments_of, selection
from query.window import window_of
from schemas.calendar import rfc3339, zone_of
from schemas.patterns import is_pattern
from streams.metrics.parts import Answer
from streams.metrics.window import Window

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])

Endpoint = Callable[..., Awaitable[Response]]


def _endpoint(linked: Linked) -> Endpoint:
    if linked.count is None:

        async def duration(asked: Annotated[DurationAsked, Query()], here: Here) -> Response:
            return await answer(linked, asked, here, asked.percentile)

        return duration

    async def ratio(asked: Annotated[MetricAsked, Query()], here: Here) -> Response:
        return await answer(linked, asked, here)

    return ratio


for _each in LINKED:
    router.add_api_route(
        f"/{_each.metric.name}",
        _endpoint(_each),
        methods=["GET"],
        dependencies=[only(DurationAsked if _each.count is None else MetricAsked)],
        response_model=MetricAnswer,
        responses=DOCUMENTED,
        name=_each.metric.name,
        description=_each.metric.definition,
    )


async def answer(linked: Linked, asked: MetricAsked, here: Context, percentile: int = 50) -> Response:
    """The metric over the window and in each of its buckets."""
    async with here.database.reading() as reading:
        configured = await configured_zone(reading, here.settings)
        zone = configured if asked.timezone is None else zone_of(asked.timezone)
        window = window_of(asked, zone, here.now())
        chosen = await selection(
            reading,
            here.catalog,
            service=asked.service,
            team=asked.team,
            environments=asked.environment or _declared(here),
        )
        rows = await rows_of(reading, linked.statement, chosen, window)
        deployed = await rows_of(reading, "attribution_parts", chosen, window)
        seen = {row["environment"] for row in (*rows, *deployed)}
        environments = environments_of(here.catalog, asked.environment, seen)
        chosen = Selection(chosen.services, None if environments.everything else environments.names)
        warnings = [
            *scope_warnings(asked, chosen, environments),
            *await channel_warnings(reading, here, chosen, window),
        ]
    rows, deployed = (_of(environments, each) for each in (rows, deployed))
    found = measure(linked, rows, window, percentile / 100)
    coverage = _coverage(linked, rows, deployed, found)
    told = _told(linked, found, window, asked, environments, percentile) | {"coverage": coverage}
    return reply(told | {"warnings": [*warnings, *_warnings(linked, found, coverage)]})


def _declared(here: Context) -> Sequence[str]:
    """The production environments, when the catalog gives them by name: nothing else need be read then."""
    named = here.catalog.production_environments
    return () if any(map(is_pattern, named)) else named


def _of(environments: Environments, rows: Sequence[Row]) -> Sequence[Row]:
    return [row for row in rows if row["environment"] in environments.names]


def _coverage(linked: Linked, rows: Sequence[Row], deployed: Sequence[Row], found: Answer) -> dict[str, int]:
    """Of failed deployments and incidents those that are over; else deployments whose revision is known."""
    if linked.statement in ("recovery_parts", "restore_parts"):
        unfinished = sum(row["unfinished"] for row in rows)
        over = found.sample_count + found.skewed
        return {"linked": over, "total": over + unfinished}
    return {
        "linked": sum(row["linked"] for row in deployed),
        "total": sum(row["counted"] for row in deployed),
    }


def _warnings(linked: Linked, found: Answer, coverage: dict[str, int]) -> Iterator[str]:
    missing = coverage["total"] - coverage["linked"]
    if found.skewed:
        yield f"{found.skewed} were left out, because clocks disagree: they ended before they began."
    if linked.statement == "recovery_parts" and missing:
        yield f"{missing} failed deployments have not recovered; they have no duration yet."
    elif linked.statement == "restore_parts" and missing:
        yield f"{missing} incidents are open; they have no duration yet."
    elif missing and linked.statement in ("lead_parts", "merge_parts"):
        yield (
            f"Of {missing} deployments no revision is known among the commits that were pushed; send push "
            "events of their repositories, and the commit or the artifact with the deployments."
        )


def _told(
    linked: Linked,
    found: Answer,
    window: Window,
    asked: MetricAsked,
    environments: Environments,
    percentile: int,
) -> dict[str, Any]:
    return {
        **defined(linked.metric, percentile),
        "from": rfc3339(window.start, window.zone),
        "to": rfc3339(window.end, window.zone),
        "bucket": window.bucket,
        "timezone": window.zone.key,
        "environments": environments.names,
        "value": found.value,
        "class": found.performance if percentile == 50 else None,
        "sample_count": found.sample_count,
        "points": [
            {
                "start": rfc3339(point.window.start, window.zone),
                "end": rfc3339(point.window.end, window.zone),
                "value": point.value,
                "sample_count": point.sample_count,
                "evidence": _evidence(linked, point.window, asked, environments),
            }
            for point in found.points
        ],
    }


def _evidence(linked: Linked, window: Window, asked: MetricAsked, environments: Environments) -> str:
    path, filters = linked.evidence
    return location(
        path,
        {
            "service": asked.service,
            "team": asked.team,
            "environment": [] if environments.everything else environments.names,
            **filters,
            "from": rfc3339(window.start, window.zone),
            "to": rfc3339(window.end, window.zone),
            "limit": LARGEST_PAGE,
        },
    )

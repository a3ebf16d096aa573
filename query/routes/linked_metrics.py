"""``/v1/metrics/{metric}`` of the metrics that need links between deployments, changes and incidents."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from query.answers import MetricAnswer
from query.comparison import whole_answer
from query.context import Context, Here
from query.database import Reading, Row
from query.formats import WRITTEN, written
from query.linked import LINKED, Linked, defined, measure, read
from query.parameters import DurationAsked, MetricAsked, only
from query.points import Evidence, told
from query.problems import DOCUMENTED
from query.routes.metrics import channel_warnings, scope_warnings
from query.selection import Environments, Selection, environments_of, selection
from schemas.calendar import rfc3339
from schemas.patterns import is_pattern
from streams.metrics.parts import Answer
from streams.metrics.window import Window

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])

Endpoint = Callable[..., Awaitable[Response]]


def _endpoint(linked: Linked) -> Endpoint:
    if linked.count is None:

        async def duration(
            asked: Annotated[DurationAsked, Query()], here: Here, request: Request
        ) -> Response:
            return written(await whole_answer(asked, here, partial(answer, linked)), asked, request)

        return duration

    async def ratio(asked: Annotated[MetricAsked, Query()], here: Here, request: Request) -> Response:
        return written(await whole_answer(asked, here, partial(answer, linked)), asked, request)

    return ratio


for _each in LINKED:
    router.add_api_route(
        f"/{_each.metric.name}",
        _endpoint(_each),
        methods=["GET"],
        dependencies=[only(DurationAsked if _each.count is None else MetricAsked)],
        response_model=MetricAnswer,
        responses=DOCUMENTED | WRITTEN,
        name=_each.metric.name,
        description=_each.metric.definition,
    )


async def answer(
    linked: Linked,
    reading: Reading,
    asked: MetricAsked,
    here: Context,
    window: Window,
    configured: ZoneInfo,
    *,
    warn: bool = True,
) -> dict[str, Any]:
    """The metric over ``window`` and in each of its buckets."""
    percentile = asked.percentile if isinstance(asked, DurationAsked) else 50
    chosen = await selection(
        reading,
        here,
        service=asked.service,
        team=asked.team,
        environments=asked.environment or _declared(here),
    )
    rows, deployed = await read(reading, linked, chosen, window, configured)
    seen = {row["environment"] for row in (*rows, *deployed)}
    environments = environments_of(here.catalog, asked.environment, seen)
    chosen = Selection(chosen.services, None if environments.everything else environments.names)
    warnings = [
        *scope_warnings(asked, chosen, environments),
        *(await channel_warnings(reading, here, chosen, window) if warn else ()),
        *(await _undeployed(reading, linked, chosen, window) if warn else ()),
    ]
    rows, deployed = (_of(environments, each) for each in (rows, deployed))
    # A fleet over a year is millions of durations; meanwhile others are answered.
    found = await run_in_threadpool(measure, linked, rows, window, percentile / 100)
    coverage = _coverage(linked, rows, deployed, found)
    content = _told(linked, found, window, asked, environments, percentile) | {"coverage": coverage}
    return content | {"warnings": [*warnings, *_warnings(linked, found, coverage)]}


async def _undeployed(reading: Reading, linked: Linked, chosen: Selection, window: Window) -> Sequence[str]:
    """Commits that have no lead time yet: a number that looks good may be one of few."""
    if linked.statement != "lead_parts":
        return []
    row = await reading.row("undeployed", chosen.services, chosen.environments, window.start, window.end)
    number = 0 if row is None else row["commits"]
    return [f"{number} commits that were made in this time are not deployed yet."] if number else []


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
    evidence = Evidence(*linked.evidence, asked, environments)
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
        "points": told(((point.window, point.value, point.sample_count) for point in found.points), evidence),
    }

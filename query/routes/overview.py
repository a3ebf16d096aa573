"""``/``: the five metrics of what is chosen, or how to begin while there is nothing to show."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Request
from starlette.responses import Response

from query.addresses import service_address
from query.callers import EVENTS
from query.comparison import Content, whole_answers
from query.context import Context, Here
from query.database import Reading
from query.filters import PERIODS, Chosen, Filters
from query.frequency import configured_zone
from query.overview import SHOWN, cards, warnings_of_all
from query.pages import page
from query.paging import location
from query.parameters import MetricAsked
from query.routes.scores import MEASURES
from query.samples import Samples
from query.selection import MOST_SERVICES, selection
from query.window import window_of
from schemas.calendar import BUCKETS, zone_of
from streams.metrics.window import Window

router = APIRouter(include_in_schema=False)

MOST_OFFERED = 2_000  # services in the list that a field offers; any other can be typed
MOST_PAIRS = 20_000
# Asked side by side, each in a moment of its own; those of one group are made of the same rows.
TOGETHER = (
    ("deployment-frequency",),
    ("change-lead-time",),
    ("failed-deployment-recovery-time", "change-failure-rate", "deployment-rework-rate"),
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    services: Sequence[str]
    teams: Sequence[str]
    environments: Sequence[str]
    zone: ZoneInfo
    configured: ZoneInfo
    has_production: bool


@router.get("/")
async def overview(request: Request, here: Here, chosen: Chosen) -> Response:
    """The overview; the way to begin, while nothing has arrived and the caller would see it."""
    async with here.database.reading() as reading:
        configured = await configured_zone(reading, here.settings)
        recorded = await reading.row("anything_recorded")
    zone = zone_of(chosen.timezone) if chosen.timezone else configured
    asked = chosen.asked(zone, here.now(), compare="previous")
    window = window_of(asked, zone, here.now())
    if recorded is not None and not recorded["deployments"] and not here.caller.is_scoped:
        return page(request, "start.html", **start_of(request, here, arrived=recorded["events"]))
    choices, answers = await asyncio.gather(choices_of(here, zone, configured), answers_of(here, asked))
    found = [answers[each.name] for each in SHOWN]
    return page(
        request,
        "overview.html",
        chosen=chosen,
        choices=choices,
        periods=PERIODS,
        buckets=BUCKETS,
        zones=zone_names(),
        cards=cards(answers, chosen.bucket),
        warnings=warnings_of_all(found),
        exports={each.name: csv_of(each.name, answers[each.name], chosen) for each in SHOWN},
        span=span_of(window),
        service_address=service_address(chosen.service) if chosen.service else None,
        environments=found[0]["environments"],
    )


async def answers_of(here: Context, asked: MetricAsked) -> dict[str, Content]:
    """What the REST API answers of each metric, by its name."""
    found = await asyncio.gather(
        *(whole_answers(asked, here, [MEASURES[name] for name in names]) for names in TOGETHER)
    )
    return {
        name: content
        for names, contents in zip(TOGETHER, found, strict=True)
        for name, content in zip(names, contents, strict=True)
    }


async def choices_of(here: Context, zone: ZoneInfo, configured: ZoneInfo) -> Choices:
    """What there is to choose from, of what the caller sees."""
    async with here.database.reading() as reading:
        services = await _services(reading, here)
        rows = await reading.rows("known_environments", services, MOST_PAIRS)
        if services is None:
            services = [row["service"] for row in await reading.rows("known_services", MOST_SERVICES)]
    return Choices(
        services=services[:MOST_OFFERED],
        teams=sorted({team for each in services if (team := here.catalog.team_of(each)) is not None}),
        environments=[row["environment"] for row in rows],
        zone=zone,
        configured=configured,
        has_production=bool(here.catalog.production_environments),
    )


async def _services(reading: Reading, here: Context) -> Sequence[str] | None:
    return (await selection(reading, here)).services


def start_of(request: Request, here: Context, *, arrived: bool) -> dict[str, Any]:
    """What the page of the beginning needs to know."""
    samples: Samples = request.app.state.samples
    return {
        "samples": samples,
        "ingress": here.settings.ingress_url,
        "may_play": EVENTS in here.caller.rights,
        "arrived": arrived,
    }


def csv_of(name: str, content: dict[str, Any], chosen: Filters) -> str:
    """The address of the same numbers as CSV."""
    about = {member: content[member] for member in ("from", "to", "bucket", "timezone")}
    names = {"service": chosen.service, "team": chosen.team, "environment": chosen.environment}
    return location(f"/v1/metrics/{name}", about | names | {"format": "csv"})


def span_of(window: Window) -> str:
    """The days that are shown, the first and the last."""
    first, last = window.first_day, window.last_day
    begin = f"{first.day} {first:%b}" if first.year == last.year else f"{first.day} {first:%b %Y}"
    return f"{begin} to {last.day} {last:%b %Y}"


@cache
def zone_names() -> Sequence[str]:
    """The zones that a field offers."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")

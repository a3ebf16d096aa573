"""What the page of a service shows: its numbers, what happened to it, and each deployment in a list."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from query.addresses import deployment_address, incident_address, service_address
from query.context import Context
from query.database import Reading, Row
from query.filters import Filters
from query.frequency import configured_zone
from query.overview import FEW, frequency
from query.paging import Paging
from query.parameters import Cursor, MetricAsked, Name
from query.problems import Unknown
from query.readable import NOTHING, count, duration, percent
from query.routes.scores import MEASURES
from query.selection import Environments, environments_of, selection
from query.service_charts import leads_chart, timeline_chart
from query.timeline import (
    MOST_INCIDENTS,
    MOST_MARKS,
    cut,
    deployments,
    incidents,
    lead_times,
    timeline,
)
from query.window import window_of
from query.wording import state_of
from schemas.calendar import midnight, zone_of
from streams.metrics.window import Window

LISTED = 50  # deployments on a page of the list
UNSEEN = "No deployment of a service of this name was reported, or none that you see; /services lists those."

View = dict[str, Any]


class ServiceFilters(Filters):
    """The filters of a service's page, and where the list of its deployments goes on."""

    name: Name | None = None  # in /service, of a name that is no path
    cursor: Cursor = None
    csv: Literal["timeline", "leads"] | None = None  # the rows of a chart as a file


@dataclass(frozen=True, slots=True)
class About:
    """What a page of a service is about. ``names`` of environments are ``None`` for all of them."""

    question: MetricAsked
    window: Window
    zone: ZoneInfo
    configured: ZoneInfo
    seen: Sequence[str]
    environments: Environments

    @property
    def names(self) -> Sequence[str] | None:
        """The environments, as statements take them."""
        return None if self.environments.everything else self.environments.names


@asynccontextmanager
async def reading_of(
    here: Context, service: str, chosen: ServiceFilters
) -> AsyncIterator[tuple[Reading, About]]:
    """A moment of the database, and what of ``service`` is asked for. Raises ``Unknown`` and ``Refused``."""
    async with here.database.reading() as reading:
        configured = await configured_zone(reading, here.settings)
        zone = zone_of(chosen.timezone) if chosen.timezone else configured
        seen = await _environments(reading, here, service)
        question = chosen.asked(zone, here.now()).model_copy(update={"service": service, "bucket": "year"})
        window = window_of(question, zone, here.now())
        environments = environments_of(here.catalog, question.environment, seen)
        yield reading, About(question, window, zone, configured, seen, environments)


async def service_view(here: Context, service: str, chosen: ServiceFilters) -> View:
    """The page of ``service``. Raises ``Unknown`` and ``Refused``."""
    async with reading_of(here, service, chosen) as (reading, about):
        window, names, zone = about.window, about.names, about.zone
        numbers = await _numbers(reading, here, about.question, window, about.configured)
        found = await timeline(reading, service, names, cut(window))
        incident_rows = await incidents(reading, service, names, window)
        leads = await lead_times(reading, service, names, cut(window))
        listed = await _listed(reading, service, names, window, chosen)
    return {
        "service": service,
        "team": here.catalog.team_of(service),
        "chosen": chosen,
        "choices": {
            "environments": about.seen,
            "configured": about.configured,
            "has_production": bool(here.catalog.production_environments),
        },
        "environments": about.environments.names,
        "zone": zone,
        "first_day": window.first_day,
        "last_day": window.last_day,
        "scale": _scale(window),
        "numbers": numbers["shown"],
        "warnings": numbers["warnings"],
        "timeline": timeline_chart(found, incident_rows, service, chosen, zone),
        "leads": leads_chart(leads, service, chosen, zone) | numbers["percentiles"],
        "incidents": [{**row, "address": incident_address(row)} for row in incident_rows[:MOST_INCIDENTS]],
        "more_incidents": len(incident_rows) > MOST_INCIDENTS,
        "listed": listed,
        "most": MOST_MARKS,
    }


async def _environments(reading: Reading, here: Context, service: str) -> Sequence[str]:
    chosen = await selection(reading, here, service=service)
    rows = await reading.rows("environments_of", chosen.services)
    if not rows:
        raise Unknown(UNSEEN)
    return [row["environment"] for row in rows]


async def _numbers(
    reading: Reading, here: Context, question: MetricAsked, window: Window, configured: ZoneInfo
) -> View:
    """What the metrics of the window amount to, as the REST API answers them."""

    async def answer(name: str, percentile: int = 50) -> Mapping[str, Any]:
        asked = question.model_copy(update={"percentile": percentile})
        return await MEASURES[name](reading, asked, here, window, configured)

    often = await answer("deployment-frequency")
    failing = await answer("change-failure-rate")
    median, slow = [await answer("change-lead-time", each) for each in (50, 90)]
    recovery = await answer("failed-deployment-recovery-time")
    value, unit = frequency(often["value"]) if often["sample_count"] else (NOTHING, "")
    answers = (often, failing, median, recovery)
    lead_about = f"median of {count(median['sample_count'])} commits; 90 % within {duration(slow['value'])}"
    return {
        "shown": [
            _number("Deployments", count(often["sample_count"]), f"{value} {unit}".strip(), often),
            _number(
                "Change failure rate",
                percent(failing["value"]),
                f"of {count(failing['sample_count'])} deployments",
                failing,
            ),
            _median("Change lead time", ("commit", "commits"), lead_about, median),
            _median(
                "Recovery time",
                ("recovery", "recoveries"),
                f"median of {count(recovery['sample_count'])} recoveries",
                recovery,
            ),
        ],
        "percentiles": {"p50": median["value"], "p90": slow["value"]}
        if median["sample_count"] >= FEW
        else {"p50": None, "p90": None},
        "warnings": list(dict.fromkeys(each for content in answers for each in content["warnings"])),
    }


def _number(title: str, value: str, about: str, content: Mapping[str, Any]) -> View:
    return {"title": title, "value": value, "about": about, "class": content["class"]}


def _median(title: str, what: tuple[str, str], about: str, content: Mapping[str, Any]) -> View:
    """A median, where there are enough samples for one. ``what`` is the name of a sample, and of several."""
    number = content["sample_count"]
    if number >= FEW:
        return _number(title, duration(content["value"]), about, content)
    one, many = what
    told = (
        f"{number} {one if number == 1 else many}: too few for a median"
        if number
        else f"No {many} in this time"
    )
    return {"title": title, "value": NOTHING, "about": told, "class": None}


async def _listed(
    reading: Reading, service: str, names: Sequence[str] | None, window: Window, chosen: ServiceFilters
) -> View:
    """One page of the list: ``{items, next}``."""
    paging = Paging(service_address(service), chosen.given() | {"cursor": None}, LISTED)
    behind = paging.behind(chosen.cursor, datetime, str)
    rows = await deployments(reading, service, names, window, paging.wanted, behind)
    return paging.page(rows, _item, lambda row: (row["time_created"], row["deploy_id"]))


def _item(row: Row) -> View:
    return {**row, "address": deployment_address(row["deploy_id"]), "state": state_of(row)}


def _scale(window: Window) -> View:
    """Where the time axis begins and ends, and the days that it names: at most six, in the zone."""
    days = max(round(window.days), 1)
    step = max(1, -(-days // 6))
    firsts = [window.first_day + timedelta(days=number) for number in range(0, days, step)]
    told = "%-d %b" if days <= 300 else "%b %Y"
    ticks = [[midnight(day, window.zone).isoformat(), day.strftime(told)] for day in firsts]
    return {"from": window.start.isoformat(), "to": window.end.isoformat(), "ticks": ticks}

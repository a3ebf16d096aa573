"""``/change`` and ``/incident``: one fact, the deployments that it has to do with, and who told of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from query.context import Here
from query.fact_views import change_view, incident_view
from query.filters import read_filters
from query.frequency import configured_zone
from query.pages import page
from query.parameters import Identity, Parameters
from query.problems import Unknown

router = APIRouter(include_in_schema=False)

UNSEEN = "There is no such {}, or none that you see; /services leads to those."


class ChangeFilters(Parameters):
    """Of a change that is in no known repository, that is left out."""

    id: Identity
    repository: Identity | None = None


class IncidentFilters(Parameters):
    """An incident is known by its source and id."""

    id: Identity
    source: Identity


def _change(request: Request) -> ChangeFilters:
    return read_filters(request, ChangeFilters)


def _incident(request: Request) -> IncidentFilters:
    return read_filters(request, IncidentFilters)


@router.get("/change")
async def change(request: Request, here: Here, asked: Annotated[ChangeFilters, Depends(_change)]) -> Response:
    """One commit, or one change under review."""
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        view = await change_view(reading, here, asked.repository or "", asked.id)
    if view is None:
        raise Unknown(UNSEEN.format("change"))
    return page(request, "change.html", **view, zone=zone)


@router.get("/incident")
async def incident(
    request: Request, here: Here, asked: Annotated[IncidentFilters, Depends(_incident)]
) -> Response:
    """One incident."""
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        view = await incident_view(reading, here, asked.source, asked.id)
    if view is None:
        raise Unknown(UNSEEN.format("incident"))
    return page(request, "incident.html", **view, zone=zone)

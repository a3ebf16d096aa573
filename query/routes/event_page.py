"""``/event``: a CloudEvent as it came, the CDEvents that it became, and the deployments they tell of."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from query.context import Here
from query.event_view import event_view
from query.filters import read_filters
from query.frequency import configured_zone
from query.lineage import lineage
from query.pages import page
from query.parameters import Identity, Parameters
from query.problems import Unknown
from query.routes.events import UNRECORDED

router = APIRouter(include_in_schema=False)


class EventFilters(Parameters):
    """An event is known by its source and id."""

    id: Identity
    source: Identity


def _event(request: Request) -> EventFilters:
    return read_filters(request, EventFilters)


@router.get("/event")
async def event(request: Request, here: Here, asked: Annotated[EventFilters, Depends(_event)]) -> Response:
    """One event, be it a CloudEvent or a CDEvent."""
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        told = await lineage(reading, zone, here.sees, asked.source, asked.id)
    if told is None:
        raise Unknown(UNRECORDED)
    return page(request, "event.html", **event_view(told), zone=zone)

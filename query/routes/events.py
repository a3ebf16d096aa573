"""``/v1/events``: what came in, what became of it, and which number it counts in."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import EventAnswer, Events, reply
from query.context import Context, Here
from query.database import Reading
from query.frequency import configured_zone
from query.lineage import lineage
from query.paging import Paging
from query.parameters import EventsAsked, only
from query.problems import DOCUMENTED, NOT_FOUND, Unknown
from query.selection import selection
from query.shapes import event

router = APIRouter(tags=["facts"])
PATH = "/v1/events"
LOOKED_THROUGH = 2_000  # events; milliseconds
UNRECORDED = "No event with this source and id is recorded; it may still be on its way, or be a dead letter."


@router.get(
    PATH,
    dependencies=[only(EventsAsked)],
    response_model=EventAnswer | Events,
    responses=DOCUMENTED | NOT_FOUND,
)
async def events(asked: Annotated[EventsAsked, Query()], here: Here) -> Response:
    """With `source` and `id` everything about one event; without, CloudEvents, the latest recorded first."""
    if asked.source is not None and asked.id is not None:
        return await _one(asked.source, asked.id, here)
    return await _latest(asked, here)


async def _one(source: str, identity: str, here: Here) -> Response:
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        told = await lineage(reading, zone, here.sees, source, identity)
    if told is None:
        raise Unknown(UNRECORDED)
    return reply(told)


async def _latest(asked: EventsAsked, here: Here) -> Response:
    paging = Paging(PATH, asked.filters(), asked.limit)
    (before,) = paging.behind(asked.cursor, int)
    async with here.database.reading() as reading:
        if here.caller.is_scoped:
            return reply(await _of_services(asked, here, reading, paging, before))
        rows = await reading.rows("events", asked.fate, asked.type, before, paging.wanted)
    return reply(paging.page(rows, event, lambda row: (row["event_id"],)))


async def _of_services(
    asked: EventsAsked, here: Context, reading: Reading, paging: Paging, before: int | None
) -> dict[str, Any]:
    """A page of what belongs to the caller's services.

    They may have few among very many, so that a page only looks through the latest ``LOOKED_THROUGH``; it may
    be short, or empty, and lead on nevertheless.
    """
    chosen = await selection(reading, here)
    look = await reading.row("events_looked_through", asked.fate, asked.type, before, LOOKED_THROUGH)
    if look is None or look["last"] is None:
        return paging.page([], event, lambda _: ())
    rows = await reading.rows(
        "events_of_services", asked.fate, asked.type, before, look["last"], chosen.services, paging.wanted
    )
    rest = (look["last"],) if look["seen"] == LOOKED_THROUGH else None
    return paging.page(rows, event, lambda row: (row["event_id"],), rest=rest)

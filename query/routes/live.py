"""``/live``: CloudEvents as they arrive, and what became of each."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from query.context import Here
from query.filters import read_filters
from query.follower import Follower
from query.frequency import configured_zone
from query.lanes import Readiness
from query.pages import page
from query.parameters import LARGEST_PAGE, Fate, Identity, Name, Parameters
from query.recordings import Recording, Wish, recordings

router = APIRouter(include_in_schema=False)

SHOWN = 100  # rows: more of them nobody reads, and a browser lays them out at every change


class LiveFilters(Parameters):
    """``/live``."""

    source: Identity | None = None
    type: Name | None = None
    fate: Fate | None = None
    service: Name | None = None


def _chosen(request: Request) -> LiveFilters:
    return read_filters(request, LiveFilters)


@router.get("/live")
async def live(request: Request, here: Here, chosen: Annotated[LiveFilters, Depends(_chosen)]) -> Response:
    """The latest events, and from where on a script asks for the next."""
    follower: Follower = request.app.state.follower
    wish = Wish(chosen.source, chosen.type, chosen.fate, chosen.service, here.sees)
    begin, _ = await follower.begin(None, LARGEST_PAGE)
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        read = await recordings(reading, begin, begin.generation, with_services=wish.needs_services)
    told = Readiness().of(read, 0) if wish.needs_services else read
    return page(
        request,
        "live.html",
        chosen=chosen,
        events=_shown(told, wish),
        after=told[-1].position if told else begin,
        shown=SHOWN,
        zone=zone,
    )


def _shown(told: Sequence[Recording], wish: Wish) -> list[dict[str, Any]]:
    """The latest first; of an event that was told again, how it is now."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in told:
        if wish.fits(each):
            event = orjson.loads(each.message.partition(b"data: ")[2])
            found.pop((event["source"], event["id"]), None)
            found[event["source"], event["id"]] = event
    return list(reversed(found.values()))[:SHOWN]

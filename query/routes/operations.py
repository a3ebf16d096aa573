"""``/ops``: how the pipeline does, what could not be handled, and how to connect a source."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from query.connections import all_connections
from query.context import Context, Here
from query.correcting import NotCorrected, is_by_hand
from query.database import Row
from query.filters import read_filters
from query.forms import NO_STORE, read_body
from query.frequency import configured_zone
from query.operations import connections, open_letters, sources, workers
from query.pages import page
from query.paging import location
from query.parameters import Parameters
from query.problems import Forbidden, Refused
from query.redriving import PATIENCE, PAUSE, chosen, order, pause, read_choice
from schemas.instant import format_instant

router = APIRouter(include_in_schema=False)

NO_INGRESS = "This process is not told where the ingress is; set DORA_INGRESS_URL, or type the command."
NONE_LEFT = "None of these can be redriven: they are not open any more, or no redrive can help."


class OperationsFilters(Parameters):
    """``/ops``: what became of an order that was just given."""

    ordered: int | None = None
    handled: int | None = None


def _told(request: Request) -> OperationsFilters:
    return read_filters(request, OperationsFilters)


@router.get("/ops")
async def operations(
    request: Request, here: Here, told: Annotated[OperationsFilters, Depends(_told)]
) -> Response:
    """The page. A caller who does not see everything sees how to connect a source, and nothing else."""
    return await _page(request, here, told)


@router.post("/ops")
async def redrive(request: Request, here: Here) -> Response:
    """Have the chosen dead letters handled again, and show what came of it."""
    if here.caller.is_scoped:
        raise Forbidden  # what could not be processed belongs to nobody's service
    told = OperationsFilters()
    try:
        numbers, token = read_choice(await read_body(request))
        letters = await _letters(here, numbers)
        given = await order(here.settings, request.headers, letters, token, format_instant(here.now()))
    except NotCorrected as error:
        return await _page(request, here, told, status=error.status, wrong=str(error))
    except Refused as error:
        return await _page(request, here, told, status=422, wrong=str(error))
    handled = await _handled(here, [letter["deadletter_id"] for letter in letters])
    return RedirectResponse(location("/ops", {"ordered": given, "handled": handled}) + "#dead", 303, NO_STORE)


async def _page(
    request: Request, here: Context, told: OperationsFilters, *, status: int = 200, wrong: str = ""
) -> Response:
    settings, sees_all = here.settings, not here.caller.is_scoped
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, settings)
        now = here.now()
        found = await sources(reading, now) if sees_all else []
        letters = await open_letters(reading) if sees_all else []
        recorded = await reading.row("operations_recorded", 1000) if sees_all else None
        connected = await connections(reading) if sees_all else [(each, None) for each in all_connections()]
    addresses = [each for each in settings.query_workers.split(",") if each]
    response = page(
        request,
        "operations.html",
        status=status,
        sees_all=sees_all,
        sources=found,
        letters=letters,
        recorded=recorded,
        connections=connected,
        workers=await workers(addresses) if sees_all else [],
        ingress=settings.ingress_url,
        needs_token=not is_by_hand(settings, request.headers),
        told=told,
        wrong=wrong,
        now=now,
        zone=zone,
    )
    response.headers.update(NO_STORE)
    return response


async def _letters(here: Context, numbers: Sequence[int]) -> Sequence[Row]:
    """What can be ordered. Raises ``Refused`` when that is nothing."""
    if here.settings.ingress_url is None:
        raise Refused({"form": NO_INGRESS})
    async with here.database.reading() as reading:
        letters = await chosen(reading, numbers)
    if not letters:
        raise Refused({"letter": NONE_LEFT})
    return letters


async def _handled(here: Context, numbers: list[int]) -> int:
    """How many of these are redriven within the time that a person likes to wait."""
    handled = 0
    for _ in range(round(PATIENCE / PAUSE)):
        await pause()
        async with here.database.reading() as reading:
            rows = await reading.rows("redrivable", numbers)
        handled = sum(row["state"] == "redriven" for row in rows)
        if handled == len(numbers):
            break
    return handled

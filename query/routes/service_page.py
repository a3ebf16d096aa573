"""``/services`` and ``/services/{service}``: what happened to a service, down to each deployment."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from query.addresses import service_address
from query.context import Here
from query.filters import PERIODS, read_filters
from query.frequency import configured_zone
from query.pages import page
from query.paging import Paging
from query.parameters import Cursor, Parameters, ServicesAsked, Team
from query.problems import Unknown
from query.routes.services import services_of
from query.service_tables import service_table
from query.service_view import ServiceFilters, service_view

router = APIRouter(include_in_schema=False)

LISTED = 100  # services on a page


def _chosen(request: Request) -> ServiceFilters:
    return read_filters(request, ServiceFilters)


class ServicesFilters(Parameters):
    """``/services``."""

    team: Team = None
    cursor: Cursor = None


def _asked(request: Request) -> ServicesAsked:
    return ServicesAsked.model_validate(read_filters(request, ServicesFilters).model_dump(exclude_none=True))


Chosen = Annotated[ServiceFilters, Depends(_chosen)]


@router.get("/services")
async def services(
    request: Request, here: Here, asked: Annotated[ServicesAsked, Depends(_asked)]
) -> Response:
    """All services that the caller sees, by name."""
    found = await services_of(here, asked, Paging("/services", asked.filters(), LISTED))
    for item in found["items"]:
        item["address"] = service_address(item["service"])
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
    return page(request, "services.html", found=found, asked=asked, zone=zone)


@router.get("/service")
async def service_called(request: Request, here: Here, chosen: Chosen) -> Response:
    """The same of a service whose name is no path."""
    if chosen.name is None:
        raise Unknown("No service is named; /services lists them.")
    return await service(chosen.name, request, here, chosen)


@router.get("/services/{service:path}")
async def service(service: str, request: Request, here: Here, chosen: Chosen) -> Response:
    """One service."""
    if chosen.csv is not None:
        columns, rows = await service_table(here, service, chosen)
        return await run_in_threadpool(_csv, f"{chosen.csv}.csv", columns, rows)
    view = await service_view(here, service, chosen)
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    return page(request, "service.html", **view, periods=PERIODS, zones=zones)


def _csv(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a file (RFC 4180). A text that a spreadsheet would take for a formula is told as text."""
    text = io.StringIO()
    written = csv.writer(text)
    written.writerow(columns)
    written.writerows([_harmless(value) for value in row] for row in rows)
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t") and value else value

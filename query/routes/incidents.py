"""``/v1/incidents``: what went wrong, when, where, and what is said to have caused it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import Incidents, reply
from query.context import Here
from query.paging import Paging
from query.parameters import IncidentsAsked, only, truth
from query.problems import DOCUMENTED
from query.selection import selection

router = APIRouter(tags=["facts"])
PATH = "/v1/incidents"


@router.get(PATH, dependencies=[only(IncidentsAsked)], response_model=Incidents, responses=DOCUMENTED)
async def incidents(asked: Annotated[IncidentsAsked, Query()], here: Here) -> Response:
    """Incidents, the latest first, by when they were detected."""
    paging = Paging(PATH, asked.filters(), asked.limit)
    behind = paging.behind(asked.cursor, datetime, str, str)
    async with here.database.reading() as reading:
        chosen = await selection(
            reading, here, service=asked.service, team=asked.team, environments=asked.environment
        )
        rows = await reading.rows(
            "incidents",
            chosen.services,
            chosen.environments,
            asked.from_,
            asked.to,
            truth(asked.open),
            *behind,
            paging.wanted,
        )
    return reply(
        paging.page(rows, dict, lambda row: (row["time_created"], row["incident_source"], row["incident_id"]))
    )

"""``/v1/changes``: commits and merged changes, and the first deployments that contain them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import Changes, reply
from query.context import Context, Here
from query.paging import Paging
from query.parameters import ChangesAsked, only
from query.problems import DOCUMENTED
from query.selection import one_or_several, selection

router = APIRouter(tags=["facts"])
PATH = "/v1/changes"


@router.get(PATH, dependencies=[only(ChangesAsked)], response_model=Changes, responses=DOCUMENTED)
async def changes(asked: Annotated[ChangesAsked, Query()], here: Here) -> Response:
    """Changes, the latest first: as they were made, or with `deployed=true` as they were first deployed."""
    paging = Paging(PATH, asked.filters(), asked.limit)
    return await (_made(asked, here, paging) if asked.deployed is None else _deployed(asked, here, paging))


async def _made(asked: ChangesAsked, here: Context, paging: Paging) -> Response:
    behind = paging.behind(asked.cursor, datetime, str, str)
    async with here.database.reading() as reading:
        chosen = await selection(reading, here, service=asked.service, team=asked.team)
        service, services = one_or_several(chosen.services)
        rows = await reading.rows(
            "changes",
            services,
            _lower(asked.repository),
            asked.kind,
            asked.from_,
            asked.to,
            *behind,
            paging.wanted,
            service,
        )
    return reply(
        paging.page(rows, dict, lambda row: (row["time_created"], row["repository"], row["change_id"]))
    )


async def _deployed(asked: ChangesAsked, here: Context, paging: Paging) -> Response:
    behind = paging.behind(asked.cursor, datetime, str, str, str, str)
    async with here.database.reading() as reading:
        chosen = await selection(
            reading, here, service=asked.service, team=asked.team, environments=asked.environment
        )
        rows = await reading.rows(
            "changes_deployed",
            chosen.services,
            chosen.environments,
            _lower(asked.repository),
            asked.kind,
            asked.from_,
            asked.to,
            asked.measured,
            *behind,
            paging.wanted,
        )
    names = ("deployed_at", "service", "environment", "repository", "change_id")
    return reply(paging.page(rows, dict, lambda row: [row[name] for name in names]))


def _lower(repository: str | None) -> str | None:
    return None if repository is None else repository.lower()

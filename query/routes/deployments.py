"""``/v1/deployments``: what was deployed, and why it counts or does not."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import Deployments, reply
from query.context import Here
from query.paging import Paging
from query.parameters import DeploymentsAsked, only, truth
from query.problems import DOCUMENTED
from query.selection import one_or_several, selection
from query.shapes import deployment

router = APIRouter(tags=["facts"])
PATH = "/v1/deployments"


@router.get(PATH, dependencies=[only(DeploymentsAsked)], response_model=Deployments, responses=DOCUMENTED)
async def deployments(asked: Annotated[DeploymentsAsked, Query()], here: Here) -> Response:
    """Deployments, the latest first: counted ones, and those that are kept without counting."""
    paging = Paging(PATH, asked.filters(), asked.limit)
    time, deploy_id = paging.behind(asked.cursor, datetime, str)
    async with here.database.reading() as reading:
        chosen = await selection(
            reading, here, service=asked.service, team=asked.team, environments=asked.environment
        )
        service, services = one_or_several(chosen.services)
        environment, environments = one_or_several(chosen.environments)
        rows = await reading.rows(
            "deployments",
            services,
            environments,
            asked.from_,
            asked.to,
            truth(asked.counted),
            asked.kind,
            asked.outcome,
            time,
            deploy_id,
            paging.wanted,
            service,
            environment,
            truth(asked.failed),
            truth(asked.unplanned),
        )
    return reply(paging.page(rows, deployment, lambda row: (row["time_created"], row["deploy_id"])))

"""``/v1/services``: who deploys, where to, and what the catalog knows of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import Services, reply
from query.context import Context, Here
from query.database import Row
from query.paging import Paging
from query.parameters import ServicesAsked, only
from query.problems import DOCUMENTED
from query.selection import selection
from schemas.catalog import Catalog

router = APIRouter(tags=["facts"])
PATH = "/v1/services"


@router.get(PATH, dependencies=[only(ServicesAsked)], response_model=Services, responses=DOCUMENTED)
async def services(asked: Annotated[ServicesAsked, Query()], here: Here) -> Response:
    """Services that deployments were reported of, by name."""
    return reply(await services_of(here, asked, Paging(PATH, asked.filters(), asked.limit)))


async def services_of(here: Context, asked: ServicesAsked, paging: Paging) -> dict[str, Any]:
    """One page of them: ``{items, next}``."""
    (behind,) = paging.behind(asked.cursor, str)
    async with here.database.reading() as reading:
        chosen = await selection(reading, here, team=asked.team, environments=asked.environment)
        rows = await reading.rows("services", chosen.services, chosen.environments, behind, paging.wanted)
        pairs = await reading.rows("environments_of", [row["service"] for row in rows])
    environments: dict[str, list[dict[str, Any]]] = {}
    for pair in pairs:
        environments.setdefault(pair["service"], []).append(_environment(pair, here.catalog))

    def shape(row: Row) -> dict[str, Any]:
        name = row["service"]
        return {
            "service": name,
            "team": here.catalog.team_of(name),
            "deployments_from": here.catalog.deployments_from(name),
            "environments": environments.get(name, []),
        }

    return paging.page(rows, shape, lambda row: (row["service"],))


def _environment(pair: Row, catalog: Catalog) -> dict[str, Any]:
    return {
        "environment": pair["environment"],
        "production": catalog.is_production(pair["environment"]),
        "last_deployment": pair["last_deployment"],
    }

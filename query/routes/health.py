"""Whether the process lives, whether it can answer, and what it has counted."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from query.answers import Health, reply
from query.context import Here
from query.problems import DOCUMENTED

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=Health)
async def healthz() -> Response:
    """The process answers. PostgreSQL has no part in this: a restart would not bring it back."""
    return reply({"status": "ok"})


@router.get("/readyz", response_model=Health, responses={503: DOCUMENTED[503]})
async def readyz(here: Here) -> Response:
    """PostgreSQL answers, and the tables are there."""
    async with here.database.reading():
        pass
    return reply({"status": "ready"})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(here: Here) -> Response:
    """What the process has counted, for Prometheus."""
    return Response(generate_latest(here.measures.registry), media_type=CONTENT_TYPE_LATEST)

"""The application: what it is made of, and in which order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI

from query import problems
from query.context import Context
from query.database import Database
from query.observation import Measures, Observation
from query.routes import (
    changes,
    deadletters,
    deploy_frequency,
    deployments,
    events,
    health,
    incidents,
    linked_metrics,
    metrics,
    page,
    services,
)
from query.server import run
from query.settings import Settings
from schemas.catalog import Catalog

ROUTES = (
    deploy_frequency,
    metrics,
    linked_metrics,
    services,
    deployments,
    changes,
    incidents,
    events,
    deadletters,
    health,
    page,
)


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings, catalog: Catalog | None = None, *, now: Callable[[], datetime] = _now
) -> FastAPI:
    """The query API over the database in ``settings``.

    It starts without PostgreSQL, answers 503 while that is away, and recovers by itself. Without ``catalog``
    the file in the settings is read; raises ``CatalogError`` or ``OSError`` when it cannot be.
    """
    database = Database(settings.postgres.get_secret_value(), settings.connections)
    measures = Measures()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.open()
        try:
            yield
        finally:
            await database.close()

    app = FastAPI(
        title="DORA metrics",
        version="1",
        description="Deployment frequency, the facts behind it, and the way from an event to a number.",
        lifespan=lifespan,
        # The interactive pages load scripts from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = Context(settings, catalog or read_catalog(settings), database, measures, now)
    app.add_middleware(Observation, measures=measures)
    problems.install(app)
    for module in ROUTES:
        app.include_router(module.router)
    return app


def serve(settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C; the port is written to the settings' file once it answers."""
    run(create_app(settings), settings)


def read_catalog(settings: Settings) -> Catalog:
    """The catalog in the settings' file; an empty one when none is named."""
    if settings.catalog is None:
        return Catalog.empty()
    return Catalog.parse(settings.catalog.read_text(encoding="utf-8"))

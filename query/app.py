"""The application: what it is made of, and in which order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI

from access.issuers import Issuer
from access.postgres import without_tls
from query import pages, problems
from query.authentication import Authentication
from query.callers import EVENTS, METRICS
from query.conditional import Conditional
from query.context import Context, needs
from query.database import Database
from query.description import describe
from query.follower import Follower
from query.key_holders import KeyHolders
from query.observation import Measures, Observation
from query.routes import (
    assets,
    changes,
    deadletters,
    deploy_frequency,
    deployment_page,
    deployments,
    event_page,
    events,
    fact_pages,
    health,
    incidents,
    linked_metrics,
    live,
    login,
    metrics,
    operations,
    overview,
    samples,
    scores,
    service_page,
    services,
    stream,
)
from query.samples import Player, Samples
from query.server import run
from query.settings import KEYS, OIDC, Settings
from query.token_holders import TokenHolders
from schemas.catalog import Catalog

log = structlog.get_logger("query")

ROUTES = (
    deploy_frequency,
    metrics,
    linked_metrics,
    scores,
    services,
    deployments,
    changes,
    incidents,
    events,
    stream,
    deadletters,
    health,
    overview,
    service_page,
    deployment_page,
    fact_pages,
    event_page,
    live,
    operations,
    login,
    samples,
    assets,
)
# What a caller must be allowed to: METRICS, where nothing else is said.
RIGHTS = {
    events: (EVENTS,),
    stream: (EVENTS,),
    event_page: (EVENTS,),
    live: (EVENTS,),
    operations: (EVENTS,),
    deadletters: (EVENTS,),
    health: (),
    login: (),
    assets: (),
}


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    catalog: Catalog | None = None,
    *,
    now: Callable[[], datetime] = _now,
    play: Player | None = None,
) -> FastAPI:
    """The query API over the database in ``settings``.

    It starts without PostgreSQL, answers 503 while that is away, and recovers by itself. Without ``catalog``
    the file in the settings is read; raises ``CatalogError`` or ``OSError`` when it cannot be. ``play`` sends
    the sample events, when somebody asks for them on the page of an empty database.
    """
    database = Database(settings.postgres.get_secret_value(), settings.connections)
    measures = Measures()
    keys = [KeyHolders(database, now)] if KEYS in settings.methods else []
    tokens = [_token_holders(settings)] if OIDC in settings.methods else []
    samples = Samples(play, settings.ingress_url)
    follower = Follower(database, measures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.open()
        pages.prepare()
        try:
            yield
        finally:
            await follower.close()
            await samples.stop()
            for each in tokens:
                await each.close()
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
    app.state.samples = samples
    app.state.follower = follower
    app.state.methods = [*keys, *tokens]
    app.state.context = Context(settings, catalog or read_catalog(settings), database, measures, now)
    # The last is the outermost: everything is counted, then let in, then answered.
    app.add_middleware(Conditional)
    app.add_middleware(Authentication, methods=app.state.methods, measures=measures)
    app.add_middleware(Observation, measures=measures)
    problems.install(app)
    for module in ROUTES:
        rights = RIGHTS.get(module, (METRICS,))
        app.include_router(module.router, dependencies=[needs(right) for right in rights])
    describe(app, settings)
    return app


def _token_holders(settings: Settings) -> TokenHolders:
    return TokenHolders(
        Issuer(settings.issuer), settings.query_oidc_teams_claim, settings.query_oidc_all_teams
    )


def serve(settings: Settings, play: Player | None = None) -> None:
    """Answer until SIGTERM or Ctrl-C; the port is written to the settings' file once it answers."""
    host = without_tls(settings.postgres.get_secret_value())
    if host is not None:
        log.warning("postgres.without_tls", host=host, advice="add ?sslmode=verify-full to DORA_POSTGRES")
    run(create_app(settings, play=play), settings)


def read_catalog(settings: Settings) -> Catalog:
    """The catalog in the settings' file; an empty one when none is named."""
    if settings.catalog is None:
        return Catalog.empty()
    return Catalog.load(settings.catalog)

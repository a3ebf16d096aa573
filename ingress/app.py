"""The application: what it is made of, and in which order."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ingress import problems, server
from ingress.admission import callers_of
from ingress.callers import Callers
from ingress.delivery import Delivery
from ingress.description import describe_security
from ingress.gate import Gate
from ingress.limits import Limits
from ingress.metrics import Counting, Metrics
from ingress.providers import Webhook, webhooks_of
from ingress.publisher import KafkaPublisher, Publisher
from ingress.routes import cdevents, cloudevents, handshake, health, webhooks
from ingress.settings import Settings


def create_app(
    settings: Settings,
    publisher: Publisher,
    hooks: Mapping[str, Webhook] | None = None,
    callers: Callers | None = None,
) -> FastAPI:
    """The ingress in front of ``publisher``, which it starts and stops; ``hooks`` are the web hooks it takes.

    ``callers`` are those who may send events; without, what ``settings`` say of them.
    ``app.state.metrics`` are its counters; ``app.state.draining`` set to true makes ``/readyz`` answer 503.
    """
    metrics = Metrics(unconfirmed=lambda: publisher.in_flight)
    callers = callers or callers_of({}, settings)
    gate = Gate(callers, metrics)
    delivery = Delivery(settings, publisher, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await publisher.start()
        callers.start()
        try:
            yield
        finally:
            await callers.stop()
            await publisher.stop()

    app = FastAPI(
        title="DORA events ingress",
        version="1",
        description="CloudEvents over HTTP, confirmed by Kafka.",
        lifespan=lifespan,
        # The interactive pages load scripts from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        # Web hooks must never be redirected (CloudEvents, http-webhook.md, 2.2).
        redirect_slashes=False,
    )
    app.state.metrics = metrics
    app.state.draining = False
    problems.install(app)
    cloudevents.add_routes(app, gate, delivery)
    cdevents.add_routes(app, gate, delivery)
    handshake.add_routes(app, settings, metrics)
    webhooks.add_routes(app, delivery, hooks or {}, metrics)
    health.add_routes(app, publisher, metrics)
    describe_security(app, callers)
    # The last one added is the first one to see a request.
    app.add_middleware(Limits, body_limit=settings.body_limit, buffer_limit=settings.buffer_limit)
    app.add_middleware(Counting, metrics=metrics)
    return app


def serve(settings: Settings) -> None:
    """Run the ingress until SIGTERM or SIGINT.

    Raises ``server.CannotListen`` when its port is taken, ``secrets.MisconfiguredSecrets``, and
    ``admission.MisconfiguredCallers`` when it would be open to others by oversight.
    """
    hooks = webhooks_of(os.environ)
    callers = callers_of(os.environ, settings)
    server.run(create_app(settings, KafkaPublisher(settings), hooks, callers), settings)

"""What the ingress counts. Labels are bounded: modes, and the names of problems; never what a client chose.

Every request to anything but the operation's own endpoints is either accepted or refused, and
``requests = accepted + refused`` holds at every moment.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingress.problems import INTERNAL, REFUSAL
from ingress.sparse_log import SparseLog
from schemas.cloudevents.http import Mode

log = SparseLog()

# Operation's own endpoints, and the handshake, which delivers nothing and has a counter of its own.
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
HANDSHAKE = "ingress.handshake"

WEBHOOK = "webhook"  # the mode of events that came as a provider's own web hook

PUBLISH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8)


class Metrics:
    """The counters of one application, in a registry of its own. ``unconfirmed`` is asked for each scrape."""

    def __init__(self, unconfirmed: Callable[[], int] = int) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter("dora_ingress_requests_total", "Requests answered", registry=registry)
        self.accepted = Counter(
            "dora_ingress_requests_accepted_total", "Requests answered with success", registry=registry
        )
        self.refused = Counter(
            "dora_ingress_requests_refused_total",
            "Requests refused, by problem",
            ("reason",),
            registry=registry,
        )
        self.events = Counter(
            "dora_ingress_events_accepted_total", "Events confirmed by Kafka", ("mode",), registry=registry
        )
        self.handshakes = Counter(
            "dora_ingress_handshakes_total",
            "Web-hook handshakes, by outcome",
            ("outcome",),
            registry=registry,
        )
        self.callers = Counter(
            "dora_ingress_callers_total",
            "Callers of the endpoints for events, by outcome",
            ("outcome",),
            registry=registry,
        )
        self.webhooks = Counter(
            "dora_ingress_webhooks_total",
            "Deliveries of web hooks, by provider and outcome",
            ("provider", "outcome"),
            registry=registry,
        )
        self.publish_seconds = Histogram(
            "dora_ingress_publish_seconds",
            "Seconds until Kafka confirmed the events of a request",
            buckets=PUBLISH_SECONDS,
            registry=registry,
        )
        # An int that is read when somebody asks costs a request less than a gauge that is kept.
        self.in_flight = 0
        requests = Gauge("dora_ingress_requests_in_flight", "Requests being answered", registry=registry)
        requests.set_function(lambda: self.in_flight)
        events = Gauge(
            "dora_ingress_events_in_flight", "Events sent to Kafka and not confirmed", registry=registry
        )
        events.set_function(unconfirmed)
        self.events_by_mode = {mode: self.events.labels(mode) for mode in (*map(str, Mode), WEBHOOK)}

    def count(self, refusal: str | None) -> None:
        """Count one request, refused for ``refusal`` or accepted."""
        self.requests.inc()
        if refusal is None:
            self.accepted.inc()
        else:
            self.refused.labels(refusal).inc()


class Counting:
    """ASGI middleware that counts each request once, however it ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count its outcome."""
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self.app(scope, receive, send)
            return
        counted = False

        async def observed(message: Message) -> None:
            nonlocal counted
            if message["type"] == "http.response.start":
                counted = True
                self._count(scope, succeeded=message["status"] < 300)
            await send(message)

        self.metrics.in_flight += 1
        try:
            await self.app(scope, receive, observed)
        finally:
            self.metrics.in_flight -= 1
            if not counted:  # the answer to an exception is sent outside of this
                self._count(scope, succeeded=False)

    def _count(self, scope: Scope, *, succeeded: bool) -> None:
        if HANDSHAKE in scope:
            return
        refusal = None if succeeded else scope.get(REFUSAL, INTERNAL.name)
        self.metrics.count(refusal)
        if refusal is not None:
            log.info("request.refused", reason=refusal)

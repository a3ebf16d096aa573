"""What every request gets: a count, an answer even to a fault of ours, and headers for careful browsers."""

from collections.abc import Mapping
from time import perf_counter
from traceback import format_exception

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query.problems import failure
from query.trace import trace_of

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

# Routes that answer as long as somebody listens, which says nothing of how fast anything is.
ENDLESS = frozenset({"/v1/stream"})

log = structlog.get_logger("query")

HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # To be kept by who asked and nobody between, and to be asked for again each time (query/conditional.py).
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Measures:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter(
            "dora_query_requests_total", "Requests answered", (*labels, "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "dora_query_request_seconds", "Time to answer a request", labels, registry=self.registry
        )

        self.unauthenticated = Counter(
            "dora_query_unauthenticated_total",
            "Requests that proved nothing, by what was wrong",
            ("reason",),
            registry=self.registry,
        )

        self.listeners = Gauge("dora_query_listeners", "Who follows the stream now", registry=self.registry)
        self.listeners_cut = Counter(
            "dora_query_listeners_cut_total",
            "Listeners that were let go because they read too slowly",
            registry=self.registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answered request, under its route: callers choose paths and methods without limit."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.requests.labels(method, route, str(status)).inc()
        if route not in ENDLESS:
            self.seconds.labels(method, route).observe(seconds)


class Observation:
    """ASGI middleware that does all of this."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and observe its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = perf_counter(), 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.add_vary_header("Authorization")  # beside what an answer says of itself
            await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception as error:  # noqa: BLE001 - the last stop: what is raised further ends the connection
            _tell(scope, error)
            if not status:
                await failure(scope)(scope, receive, observed)
        finally:
            self.measures.observe(scope, status or 500, perf_counter() - begun)


def _tell(scope: Scope, error: Exception) -> None:
    # As text: renderers that show the variables of each frame would show passwords.
    trace = "".join(format_exception(error))
    log.error("request.failed", trace_id=trace_of(scope), path=scope["path"], traceback=trace)

"""``OPTIONS`` on every endpoint that takes events: the handshake in which a sender asks whether it may send.

CloudEvents 1.0.2, http-webhook.md, section 4. It keeps senders from being turned against strangers; it
authenticates nobody.
"""

import re
from collections.abc import Iterable

import structlog
from fastapi import FastAPI, Request
from starlette.responses import Response

from ingress.metrics import HANDSHAKE, Metrics
from ingress.routes.event_route import EventRoute
from ingress.settings import Settings

log = structlog.get_logger("ingress")

Header = tuple[bytes, bytes]

# A DNS name, which is what an origin has to be (4.1.2); a number of requests a minute (4.1.4).
_ORIGIN = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252})(?::[0-9]{1,5})?")
_RATE = re.compile(rb"[1-9][0-9]{0,8}")


def add_routes(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """The handshake of every route that was added for POST."""

    async def shake(request: Request) -> Response:
        """Consent to an origin's events, or not."""
        request.scope[HANDSHAKE] = True
        granted = consent(request.scope["headers"], settings)
        metrics.handshakes.labels("granted" if granted else "withheld").inc()
        if "webhook-request-callback" in request.headers:
            # Fetching the URL, which the caller chose, would let anybody send requests from inside.
            metrics.handshakes.labels("callback_ignored").inc()
            log.info("handshake.callback_ignored")
        return Response(status_code=200, headers={"allow": "POST, OPTIONS", **granted})

    paths = [route.path for route in app.routes if isinstance(route, EventRoute)]
    for path in paths:
        route = EventRoute(
            path,
            shake,
            methods=["OPTIONS"],
            response_class=Response,
            operation_id=f"handshake_of_{path.strip('/') or 'root'}",
            summary="Web-hook handshake",
            tags=["events"],
        )
        app.router.routes.append(route)


def consent(headers: Iterable[Header], settings: Settings) -> dict[str, str]:
    """The headers of consent; empty without it, because a status code is none (section 4.2)."""
    fields = list(headers)
    origins = [value for name, value in fields if name == b"webhook-request-origin"]
    if len(origins) != 1 or _ORIGIN.fullmatch(origins[0]) is None:
        return {}
    origin = origins[0].decode()
    if "*" not in settings.origins and origin.lower() not in settings.origins:
        return {}
    return {
        "webhook-allowed-origin": "*" if "*" in settings.origins else origin,
        "webhook-allowed-rate": _granted_rate(fields, settings.webhook_rate),
    }


def _granted_rate(headers: Iterable[Header], most: int | None) -> str:
    if most is None:
        return "*"
    asked = [value for name, value in headers if name == b"webhook-request-rate"]
    if len(asked) == 1 and _RATE.fullmatch(asked[0]):
        return str(min(int(asked[0]), most))
    return str(most)

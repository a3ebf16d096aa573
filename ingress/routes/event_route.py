"""What every endpoint that takes events is, for FastAPI and in OpenAPI."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingress import problems
from schemas.cloudevents.format import BATCH_MEDIA_TYPE, MEDIA_TYPE

Endpoint = Callable[[Request], Awaitable[Response]]

BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The data, with the attributes in ce- headers; or an envelope; or a batch.",
        "content": {
            MEDIA_TYPE: {"schema": {"type": "object"}},
            BATCH_MEDIA_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}},
            "*/*": {"schema": {}},
        },
    }
}
PROBLEMS = problems.documented(
    problems.INVALID_EVENT,
    problems.UNAUTHENTICATED,
    problems.FORBIDDEN,
    problems.TOO_SLOW,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_FORMAT,
    problems.HEADERS_TOO_LARGE,
    problems.UNAVAILABLE,
)


class EventRoute(APIRoute):
    """A route whose endpoint reads the request itself; FastAPI describes it in OpenAPI and adds nothing else.

    Every event of an organisation passes here, and FastAPI's parameters and exit stacks would cost more than
    reading the event.
    """

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


def add_event_route(app: FastAPI, path: str, endpoint: Endpoint, what: str) -> None:
    """One endpoint that takes events by POST."""
    route = EventRoute(
        path,
        endpoint,
        methods=["POST"],
        status_code=202,
        response_class=Response,
        response_description="Kafka has confirmed every event",
        responses=PROBLEMS,
        openapi_extra=BODY,
        operation_id=f"send_to_{path.strip('/') or 'root'}",
        summary=f"Send {what}",
        tags=["events"],
    )
    app.router.routes.append(route)

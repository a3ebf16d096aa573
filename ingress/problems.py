"""Every error as an RFC 9457 problem document: a stable type, and a detail that says what to do.

No problem repeats what was sent: bodies and header values may hold secrets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from schemas.cloudevents.event import InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.format import InvalidBatch, TooManyEvents
from schemas.problems import MEDIA_TYPE, SCHEMA, problem

log = structlog.get_logger("ingress")

# In the scope of a request: the name of the problem that answered it, for those who count; and its body,
# which may still be arriving (limits.Body).
REFUSAL = "ingress.refusal"
BODY = "ingress.body"

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem. ``name`` ends its type URI and labels it in metrics. ``closes`` the connection."""

    name: str
    status: int
    title: str
    closes: bool = False


MALFORMED_REQUEST = Kind("malformed-request", 400, "Not an HTTP request", closes=True)
INVALID_EVENT = Kind("invalid-event", 400, "Not a valid CloudEvent")
INVALID_CDEVENT = Kind("invalid-cdevent", 400, "Not a valid CDEvent")
DISCONNECTED = Kind("disconnected", 400, "The client went away", closes=True)
UNAUTHENTICATED = Kind("unauthenticated", 401, "Not authenticated")
FORBIDDEN = Kind("forbidden", 403, "Not allowed")
NOT_FOUND = Kind("not-found", 404, "No such endpoint")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Method not allowed")
TOO_SLOW = Kind("too-slow", 408, "The request took too long to arrive", closes=True)
TOO_LARGE = Kind("too-large", 413, "Too large", closes=True)
UNSUPPORTED_FORMAT = Kind("unsupported-format", 415, "Format not supported")
INVALID_PARAMETER = Kind("invalid-parameter", 422, "A parameter cannot be used")
HEADERS_TOO_LARGE = Kind("headers-too-large", 431, "Headers too large", closes=True)
INTERNAL = Kind("internal", 500, "A fault of the ingress")
OVERLOADED = Kind("overloaded", 503, "Too much at the same time")
UNCHECKABLE = Kind("uncheckable", 503, "The sender cannot be authenticated now")
UNAVAILABLE = Kind("unavailable", 503, "Kafka cannot take events now")
UNCONFIRMED = Kind("unconfirmed", 503, "Kafka did not confirm in time")


NO_ENDPOINT = "The endpoints are in /openapi.json; POST events to /cloudevents"


class Problem(Exception):
    """An answer other than success. ``headers`` go with it; ``members`` are extension members."""

    def __init__(
        self, kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def to_json(self) -> bytes:
        """The problem document."""
        kind = self.kind
        return orjson.dumps(
            problem(kind.status, self.detail, kind=kind.name, title=kind.title, **self.members)
        )


def retry(kind: Kind, detail: str, seconds: int) -> Problem:
    """A problem that passes: the client is told when to try again."""
    return Problem(kind, detail, headers={"retry-after": str(seconds)})


def response_of(found: Problem, scope: Scope) -> Response:
    """The problem as a response to the request in ``scope``, where its name is left for counting."""
    scope[REFUSAL] = found.kind.name
    unread = BODY in scope and not scope[BODY].ended
    if unread or found.kind.closes:
        headers = {**found.headers, "connection": "close"}
        return ClosingResponse(found.to_json(), found.kind.status, headers, MEDIA_TYPE)
    return Response(found.to_json(), found.kind.status, found.headers, MEDIA_TYPE)


class ClosingResponse(Response):
    """A response before the end of the request, after which the connection is closed.

    The answer is sent at once and the client's bytes are read for a moment: closing while bytes are unread
    resets the connection, and a reset may overtake the answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer, read on, close."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if BODY in scope:
            await scope[BODY].linger()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def answer(found: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the problem as the response to the request in ``scope``."""
    await response_of(found, scope)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Make every error that a route of ``app`` can raise a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(InvalidCloudEvent, _invalid_event)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid_parameter)
    app.add_exception_handler(Exception, _failed)


def of_event(error: InvalidCloudEvent) -> Problem:
    """What is wrong with what was sent as a CloudEvent."""
    if isinstance(error, TooManyEvents):
        return Problem(TOO_LARGE, error.reason)
    kind = UNSUPPORTED_FORMAT if isinstance(error, UnsupportedFormat) else INVALID_EVENT
    index = error.index if isinstance(error, InvalidBatch) else None
    return Problem(kind, error.reason, attribute=error.attribute, index=index)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for nothing else
    return response_of(error, request.scope)


async def _invalid_event(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidCloudEvent)  # noqa: S101 - registered for nothing else
    return response_of(of_event(error), request.scope)


async def _http(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == METHOD_NOT_ALLOWED.status:
        allowed = ", ".join(_methods_of(request))
        found = Problem(METHOD_NOT_ALLOWED, f"Allowed here: {allowed}", headers={"allow": allowed})
    else:
        found = Problem(NOT_FOUND, NO_ENDPOINT)
    return response_of(found, request.scope)


async def _invalid_parameter(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    reasons = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in found)
    return response_of(Problem(INVALID_PARAMETER, reasons), request.scope)


async def _failed(request: Request, error: Exception) -> Response:
    # The caller learns the id and nothing else. The server logs the exception itself, which is raised again.
    trace_id = trace_of(request.scope)
    log.error("request.failed", trace_id=trace_id, error=type(error).__name__)
    detail = "This is a fault of the ingress; its log tells more under the trace_id. Send the event again."
    return response_of(Problem(INTERNAL, detail, trace_id=trace_id), request.scope)


def trace_of(scope: Scope) -> str:
    """The trace id that the caller sent, else a new one."""
    match = _TRACEPARENT.fullmatch(dict(scope["headers"]).get(b"traceparent", b""))
    return match[1].decode() if match else uuid4().hex


def _methods_of(request: Request) -> list[str]:
    """The methods of the path that was asked for, POST first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    path = request.url.path
    methods = {each for route in routes if route.path_regex.match(path) for each in route.methods or ()}
    return sorted(methods, key=lambda method: (method != "POST", method))


# The schema of a problem document, for OpenAPI.
_SCHEMA = {
    **SCHEMA,
    "properties": {
        **SCHEMA["properties"],
        "attribute": {"type": "string", "description": "The attribute that is wrong"},
        "index": {"type": "integer", "description": "Which event of the batch, from 0"},
        "errors": {"type": "array", "items": {"type": "string"}, "description": "What the schema says"},
    },
}


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """These problems as the ``responses`` of a route."""
    return {
        kind.status: {"description": kind.title, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        for kind in kinds
    }

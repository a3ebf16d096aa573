"""Errors as RFC 9457 problem documents: what the caller can do about it, and nothing about our insides."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from query.pages import page, wants_page
from query.trace import trace_of
from schemas.calendar import OutsideCalendar
from schemas.problems import MEDIA_TYPE, SCHEMA, problem

RETRY_AFTER = "5"  # seconds: PostgreSQL restarts in less

FORBIDDEN = "What you have proven to be does not let you ask for this."
REFUSALS = {
    404: ("not-found", "There is no such address; /openapi.json lists them."),
    405: ("method-not-allowed", "Only GET: nothing can be changed here."),
}


def described(told: str) -> dict[str, Any]:
    """A problem as an answer in OpenAPI."""
    return {"description": told, "content": {MEDIA_TYPE: {"schema": dict(SCHEMA)}}}


# The problems of a route, for OpenAPI.
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    422: described("A parameter cannot be used; the problem names it"),
    503: described("PostgreSQL cannot answer now; try again"),
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: described("There is no such thing")}


class Refused(Exception):
    """Parameters that cannot be used: why, by name."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
        self.reasons = reasons


class Unknown(Exception):
    """What was asked for does not exist. The message says what does."""


class Forbidden(Exception):
    """Who asks is known, and may not. Why is for the log: all of them are told the same."""


class Unavailable(Exception):
    """PostgreSQL cannot answer now; it may in a moment."""


class TooLarge(Exception):
    """The question is too large to be answered in one go. The message says how to narrow it."""


def answer(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> Response:
    """A problem document as a response, with the id under which the log tells more; a page for a person."""
    document = problem(status, detail, trace_id=trace_of(request.scope), **parts)
    if wants_page(request):
        told = {"detail": detail, "errors": (), "code": status, **document}
        response = page(request, "problem.html", **told)
        response.headers.update({"Cache-Control": "no-store", **(headers or {})})
        return response
    return Response(
        orjson.dumps(document), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE
    )


def failure(scope: Scope) -> Response:
    """The answer to a fault of ours. The caller learns the id and nothing else: a message may hold data."""
    detail = "This is a fault of the service; its log tells more under the trace_id."
    return answer(Request(scope), 500, detail, kind="internal")


def install(app: FastAPI) -> None:
    """Make every error that a route of ``app`` can raise a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Unknown, _unknown)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(TooLarge, _too_large)
    app.add_exception_handler(OutsideCalendar, _outside)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http)


async def _refused(request: Request, error: Exception) -> Response:
    reasons = error.reasons if isinstance(error, Refused) else {}
    return answer(
        request,
        422,
        str(error),
        kind="invalid-parameter",
        title="A parameter cannot be used",
        errors=[{"parameter": name, "reason": reason} for name, reason in reasons.items()],
    )


async def _invalid(request: Request, error: Exception) -> Response:
    """FastAPI's own refusal: a parameter of the wrong kind."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    # The place is ("query", "environment", 0): where it stands, its name, and what is inside it.
    reasons = {str(each["loc"][1]): str(each["msg"]).removeprefix("Value error, ") for each in found}
    return await _refused(request, Refused(reasons))


async def _unknown(request: Request, error: Exception) -> Response:
    return answer(request, 404, str(error), kind="not-found")


async def _too_large(request: Request, error: Exception) -> Response:
    return answer(request, 422, str(error), kind="too-large", title="The answer would be too large")


async def _outside(request: Request, error: Exception) -> Response:
    detail = f"What was asked for reaches beyond the calendar: {error}; narrow it with from and to."
    return answer(request, 422, detail, kind="outside-calendar", title="Outside the calendar")


def forbidden(request: Request) -> Response:
    """The one answer to whoever may not, whatever the reason."""
    return answer(request, 403, FORBIDDEN, kind="forbidden")


async def _forbidden(request: Request, _: Exception) -> Response:
    return forbidden(request)


async def _unavailable(request: Request, error: Exception) -> Response:
    return unavailable(request, error)


def unavailable(request: Request, error: Exception) -> Response:
    """The answer while something is away that an answer needs."""
    return answer(request, 503, str(error), kind="unavailable", headers={"Retry-After": RETRY_AFTER})


async def _http(request: Request, error: Exception) -> Response:
    """What the router refuses: an address or a method that there is not."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    kind, detail = REFUSALS.get(status, (None, None))
    return answer(request, status, detail, kind=kind, headers=headers)

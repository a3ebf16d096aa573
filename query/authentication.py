"""Who may ask: every request proves itself before it is looked at, except those of OPEN and LOGIN.

It is done before routing, so that an address that is added later is closed and not open. What is wrong with a
key or a token is for the log and the counters; a caller only learns that it counts for nothing.

Programs send a header; browsers the cookie that ``/login`` gave them, which no script and no other site can
use. A browser without one is shown the way there.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

import structlog
from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from access.keys import read_key
from query.callers import EVERYBODY, Caller
from query.observation import Measures
from query.pages import COOKIE, page, wants_page
from query.paging import location
from query.problems import Forbidden, Unavailable, answer, forbidden, unavailable
from query.same_origin import is_foreign

log = structlog.get_logger("query")

# Probes and scrapers have no keys; the description is the same in every installation.
OPEN = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
# And so is the page that asks for a key, with what it consists of.
LOGIN = frozenset({"/login", "/logout"})
ASSETS = "/assets/"
MAYBE_KEY = re.compile(r"dora_[0-9a-z]{10}_[0-9A-Za-z]{49}")
UNAUTHENTICATED = "Send a valid key or token in the header 'Authorization: Bearer ...', and never in the URL."


class NotAuthenticated(Exception):
    """The request proves nothing. ``reason`` is one of a few words, for the log and the counters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Method(Protocol):
    """A way to prove who asks."""

    def accepts(self, credential: str) -> bool:
        """Whether ``credential`` is of this kind, valid or not."""
        ...

    async def caller(self, credential: str) -> Caller:
        """Who has ``credential``. Raises ``NotAuthenticated``, ``Forbidden`` and ``Unavailable``."""
        ...


class Authentication:
    """ASGI middleware: the caller of each request, as ``scope["state"]["caller"]``, or a refusal.

    Without ``methods`` everybody may ask for everything.
    """

    def __init__(self, app: ASGIApp, methods: Collection[Method], measures: Measures) -> None:
        self.app = app
        self._methods = methods
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http" and is_foreign(scope["method"], Headers(scope=scope)):
            await forbidden(Request(scope))(scope, receive, send)
            return
        refusal = None
        try:
            caller = EVERYBODY if self._is_open(scope) else await self._caller(scope)
        except NotAuthenticated as error:
            self._measures.unauthenticated.labels(error.reason).inc()
            refusal = unauthenticated(scope)
        except Forbidden:
            refusal = forbidden(Request(scope))
        except Unavailable as error:
            refusal = unavailable(Request(scope), error)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path = scope.get("path", "")
        return not self._methods or path in OPEN | LOGIN or path.startswith(ASSETS)

    async def _caller(self, scope: Scope) -> Caller:
        if _holds_key(scope):
            raise NotAuthenticated("url")
        return await caller_of(self._credential(scope), self._methods)

    def _credential(self, scope: Scope) -> str:
        """The header's, whatever it is worth; the cookie's only without one."""
        kept = Request(scope).cookies.get(COOKIE) if scope["type"] == "http" else None
        if kept and not any(name == b"authorization" for name, _ in scope["headers"]):
            return kept
        return bearer(scope["headers"])


async def caller_of(credential: str, methods: Collection[Method]) -> Caller:
    """Who has ``credential``. Raises ``NotAuthenticated``, ``Forbidden`` and ``Unavailable``."""
    for method in methods:
        if method.accepts(credential):
            return await method.caller(credential)
    raise NotAuthenticated("kind")


def bearer(headers: Collection[tuple[bytes, bytes]]) -> str:
    """The credential of the one ``Authorization: Bearer`` header (RFC 6750). Raises ``NotAuthenticated``."""
    given = [value for name, value in headers if name == b"authorization"]
    if not given:
        raise NotAuthenticated("missing")
    scheme, _, credential = given[0].decode("latin-1").partition(" ")
    credential = credential.strip(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not credential.isascii() or " " in credential:
        raise NotAuthenticated("malformed")
    return credential


def _holds_key(scope: Scope) -> bool:
    """Whether a key stands in the URL, where proxies log it and browsers remember it: it is no secret now."""
    text = scope["path"] + " " + unquote(scope["query_string"].decode("latin-1"))
    found = [match[0] for match in MAYBE_KEY.finditer(text) if read_key(match[0]) is not None]
    if found:
        log.warning("key.in_url", key=found[0].split("_")[1])
    return bool(found)


def unauthenticated(scope: Scope) -> Any:
    """The one answer to whoever proves nothing, whatever is wrong; a person is led to where they can."""
    if scope["type"] == "http" and wants_page(request := Request(scope)):
        return _way_to_login(request)
    headers = {"WWW-Authenticate": 'Bearer realm="dora"'}
    return answer(Request(scope), 401, UNAUTHENTICATED, kind="unauthenticated", headers=headers)


def _way_to_login(request: Request) -> Any:
    """To ``/login``, and from there back. A browser that follows a link of another site sends no cookie;
    it does when a page of ours leads on: so that is tried first.
    """
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("sec-fetch-site") == "cross-site":
        return page(request, "onward.html", here=here)
    return RedirectResponse(location("/login", {"next": here}), 303, {"Cache-Control": "no-store"})


def of_scope(scope: Mapping[str, Any]) -> Caller:
    """The caller of a request that was let in."""
    caller: Caller = scope["state"]["caller"]
    return caller

"""Answers that have not changed since they were had last are not sent again (RFC 9110, 13)."""

from hashlib import sha256
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of a 200, what its 304 repeats (RFC 9110, 15.4.5); the rest describes a body that is not there.
REPEATED = {b"etag", b"cache-control", b"content-location", b"date", b"expires", b"vary"}


def entity_tag(body: bytes) -> str:
    """A strong validator: the same bytes, whenever and by whichever process they were answered."""
    return f'"{sha256(body).hexdigest()[:32]}"'


class Conditional:
    """ASGI middleware: 304 in the place of a 200 whose ``ETag`` is among those of ``If-None-Match``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer or that it is the same."""
        known = Headers(scope=scope).getlist("if-none-match") if scope["type"] == "http" else []
        if not known:
            await self.app(scope, receive, send)
            return
        unchanged = False

        async def compared(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start" and _is_known(message, ",".join(known)):
                unchanged = True
                message = _not_modified(message)
            elif message["type"] == "http.response.body" and unchanged:
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app(scope, receive, compared)


def _is_known(message: Message, known: str) -> bool:
    tag = MutableHeaders(scope=message).get("etag")
    if message["status"] != 200 or tag is None:
        return False
    # Weakly compared, as for If-None-Match it has to be: a proxy that compresses makes our tag weak.
    return known.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in known.split(",")}


def _not_modified(message: Message) -> dict[str, Any]:
    headers = [(name, value) for name, value in message["headers"] if name.lower() in REPEATED]
    return {"type": "http.response.start", "status": 304, "headers": headers}

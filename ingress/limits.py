"""How much a client may send: headers, a body, and all bodies together; and how long it may take.

Pure ASGI. A body is counted while it arrives, so that one without Content-Length ends at the cap too.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingress.deadline import begin
from ingress.problems import (
    BODY,
    DISCONNECTED,
    HEADERS_TOO_LARGE,
    MALFORMED_REQUEST,
    OVERLOADED,
    TOO_LARGE,
    TOO_SLOW,
    UNSUPPORTED_FORMAT,
    Problem,
    answer,
)

MOST_HEADERS = 100
LARGEST_HEADER = 8 * 1024
LARGEST_HEAD = 32 * 1024

# How long, and for how many bytes, a refused body is read on (problems.ClosingResponse says why).
LINGER_SECONDS = 1.0
LINGER_BYTES = 8 * 1024 * 1024


class Limits:
    """ASGI middleware that refuses what is too much.

    ``body_limit`` and ``buffer_limit`` are bytes: of one body, and of all that are held at the same time.
    """

    def __init__(self, app: ASGIApp, *, body_limit: int, buffer_limit: int) -> None:
        self.app = app
        self.body_limit = body_limit
        self.buffer_limit = buffer_limit
        self.buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a bounded body, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin(scope)
        body = Body(self, receive)
        scope[BODY] = body
        try:
            self._check_head(scope["headers"], body)
            await self.app(scope, body.receive, send)
        except Problem as problem:
            await answer(problem, scope, receive, send)
        finally:
            self.buffered -= body.size

    def _check_head(self, headers: Iterable[tuple[bytes, bytes]], body: "Body") -> None:
        size = number = 0
        for name, value in headers:
            number += 1
            size += len(name) + len(value)
            if len(value) > LARGEST_HEADER:
                raise Problem(HEADERS_TOO_LARGE, f"A header value has at most {LARGEST_HEADER} bytes")
            if name == b"content-length":
                body.ended = value == b"0"
                self._check_length(value)
            elif name == b"transfer-encoding":
                body.ended = False
            elif name == b"content-encoding" and value.lower() != b"identity":
                raise Problem(
                    UNSUPPORTED_FORMAT,
                    "Send the body without Content-Encoding",
                    headers={"accept-encoding": "identity"},
                )
        if size > LARGEST_HEAD or number > MOST_HEADERS:
            raise Problem(
                HEADERS_TOO_LARGE, f"At most {MOST_HEADERS} headers and {LARGEST_HEAD} bytes of them"
            )

    def _check_length(self, value: bytes) -> None:
        if not (value.isascii() and value.isdigit()):
            raise Problem(MALFORMED_REQUEST, "Content-Length is a number of bytes")
        if len(value) > 18 or int(value) > self.body_limit:
            raise self._too_large()

    def _too_large(self) -> Problem:
        return Problem(TOO_LARGE, f"A body has at most {self.body_limit} bytes", limit=self.body_limit)

    def take(self, size: int, total: int) -> None:
        """Account for ``size`` more bytes of a body that has ``total`` now."""
        self.buffered += size
        if total > self.body_limit:
            raise self._too_large()
        if self.buffered > self.buffer_limit:
            raise Problem(
                OVERLOADED,
                "Too many large bodies at the same time",
                headers={"retry-after": "1"},
            )


class Body:
    """The body of one request as it arrives.

    ``ended`` when nothing of it is to come; ``size`` is what of it is accounted for.
    """

    __slots__ = ("_limits", "_receive", "ended", "size")

    def __init__(self, limits: Limits, receive: Receive) -> None:
        self._limits = limits
        self._receive = receive
        self.ended = True
        self.size = 0

    async def receive(self) -> Message:
        """The next part. Raises ``Problem`` when it is too much."""
        message = await self._receive()
        self.ended = not message.get("more_body")
        size = len(message.get("body", b""))
        if size:
            self.size += size
            self._limits.take(size, self.size)
        return message

    async def linger(self) -> None:
        """Read on for a moment, and drop what comes."""
        dropped = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended and dropped < LINGER_BYTES:
                    message = await self._receive()
                    self.ended = not message.get("more_body")
                    dropped += len(message.get("body", b""))


async def read_body(receive: Receive, patience: float) -> bytes:
    """The whole body. Raises ``Problem`` when it takes ``patience`` more seconds, or never ends."""
    try:
        async with asyncio.timeout(patience):
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                return bytes(message.get("body", b""))
            chunks: list[bytes] = []
            while message["type"] == "http.request":
                chunks.append(message.get("body", b""))
                if not message.get("more_body"):
                    return b"".join(chunks)
                message = await receive()
    except TimeoutError:
        raise Problem(TOO_SLOW, "The body has to arrive sooner; send less at once") from None
    raise Problem(DISCONNECTED, "The connection was closed before the body was complete")

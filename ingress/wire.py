"""The HTTP/1.1 connection, with what uvicorn leaves open.

A request's head is bounded in time and size: a client that sends a header line an hour, or one that never
ends, would hold memory for ever. And a request that offers to upgrade the protocol keeps its body.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ingress.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, TOO_SLOW, Problem
from schemas.problems import MEDIA_TYPE

HEAD_SECONDS = 10.0
UPGRADE_HEADERS = (b"connection", b"upgrade", b"http2-settings")
LARGEST_HEAD = 64 * 1024  # bytes; Limits names a lower limit, and can answer better


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol; what it refuses is a problem document, and counted by ``app.state.metrics``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head, self._head_bytes = True, 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that sends nothing ends too."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a head that is still incomplete afterwards counts against its bounds."""
        if self._in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if not self._in_head or not self._head_bytes or self.transport.is_closing():
            return
        if self._head_bytes > LARGEST_HEAD:
            self.refuse(Problem(HEADERS_TOO_LARGE, f"All headers together have at most {LARGEST_HEAD} bytes"))
        elif self._head_timer is None:
            self._start_timer()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self.send_400_response("This is not HTTP/1.1")
                return

    def _without_upgrade(self, rest: bytes) -> bytes:
        """The request that was just begun, as if it had not offered another protocol, and the ``rest``.

        Java's client offers HTTP/2 with every request. A server may ignore that, but the parser then takes
        the body for bytes of the other protocol, and uvicorn would pass the request on without its body.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(Problem(MALFORMED_REQUEST, "This is not a proxy"))
            return b""
        self.parser = httptools.HttpRequestParser(self)
        lines = [method + b" " + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers if name not in UPGRADE_HEADERS]
        return b"\r\n".join([*lines, b"", rest])

    def on_headers_complete(self) -> None:
        """The head is complete; the application takes over."""
        if self.parser.should_upgrade():
            return  # _without_upgrade is next
        self._in_head, self._head_bytes = False, 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is complete; what comes next is another head."""
        if self.parser.should_upgrade():
            return
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self.refuse(Problem(MALFORMED_REQUEST, msg))

    def refuse(self, problem: Problem) -> None:
        """Answer with ``problem`` and close the connection."""
        self._stop_timer()
        body = problem.to_json()
        fields = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[problem.kind.status] + fields.encode() + body)
        self.transport.close()
        self.config.app.state.metrics.count(problem.kind.name)  # type: ignore[union-attr]

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._head_bytes == 0:
            self.transport.close()  # nothing was asked, so there is nothing to answer
        else:
            self.refuse(Problem(TOO_SLOW, f"The headers have to arrive within {HEAD_SECONDS:g} s"))

"""The HTTP/1.1 connection, with what uvicorn leaves open.

A request's head is bounded in time and size: a client that sends a header line an hour, or one that never
ends, would hold memory for ever; so would one that does not read its answers, and clients without number.
And a request that offers to upgrade the protocol keeps its body.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ingress.deadline import BEGAN
from ingress.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED, TOO_SLOW, Problem, retry
from schemas.problems import MEDIA_TYPE

HEAD_SECONDS = 5.0
STALL_SECONDS = 10.0  # until a client that leaves its answers unread is cut off
LINGER_SECONDS = 1.0  # in which a refused client may still send: closing at once may destroy the answer
UPGRADE_HEADERS = (b"connection", b"upgrade", b"http2-settings")
LARGEST_HEAD = 64 * 1024  # bytes; Limits names a lower limit, and can answer better


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol; what it refuses is a problem document, and counted by ``app.state.metrics``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head, self._head_bytes = True, 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._arrived = 0.0  # when what is being parsed came in
        self._refusal: Problem | None = None  # the last thing that this connection will be told
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that sends nothing ends too. One too many replaces an idle one."""
        super().connection_made(transport)
        self._start_timer()
        if len(self.connections) > self.config.app.state.connection_limit:  # type: ignore[union-attr]
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether it is only kept for a next request."""
        return (
            self._in_head and not self._head_bytes and self.cycle is not None and self.cycle.response_complete
        )

    def _make_room(self) -> None:
        idle = next(
            (each for each in self.connections if isinstance(each, GuardedProtocol) and each.is_idle), None
        )
        if idle is None:
            self.refuse(retry(OVERLOADED, "Too many connections at the same time; nothing was read", 1))
        else:
            self.connections.discard(idle)
            idle.transport.close()

    def pause_writing(self) -> None:
        """The client does not read: give it a while."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._stop_stall_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a head that is still incomplete afterwards counts against its bounds."""
        if self._refusal is not None:
            return
        self._arrived = self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if not self._in_head or not self._head_bytes or self._refusal or self.transport.is_closing():
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
        self._arrived = self.scope[BEGAN]  # type: ignore[literal-required]
        lines = [method + b" " + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers if name not in UPGRADE_HEADERS]
        return b"\r\n".join([*lines, b"", rest])

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self.scope[BEGAN] = self._arrived  # type: ignore[literal-required]

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
        """Answer with ``problem`` and close the connection; complete requests are answered before."""
        self._stop_timer()
        self._refusal = problem
        self._tell_refusal()

    def on_response_complete(self) -> None:
        """The next request's turn; after the last one, what was wrong with what followed it."""
        super().on_response_complete()
        if self._refusal is not None and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._tell_refusal()

    @property
    def _owes_answers(self) -> bool:
        """Whether complete requests, which came before what is refused, are still to be answered."""
        answering = self.cycle is not None and not self.cycle.response_complete
        return bool(self.pipeline) or (answering and not self.cycle.more_body)

    def _tell_refusal(self) -> None:
        if self._refusal is None or self._is_refused or self._owes_answers:
            return
        self._is_refused = True
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()  # it was refused already, and only read on for a moment
            return
        problem, body = self._refusal, self._refusal.to_json()
        headers = {
            **problem.headers,
            "content-type": MEDIA_TYPE,
            "content-length": str(len(body)),
            "connection": "close",
        }
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        self.transport.write(STATUS_LINE[problem.kind.status] + fields.encode() + body)
        self.config.app.state.metrics.count(problem.kind.name)  # type: ignore[union-attr]
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()  # also tells the application, which waits for the rest of the body

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._head_bytes == 0:
            self.transport.close()  # nothing was asked, so there is nothing to answer
        else:
            self.refuse(Problem(TOO_SLOW, f"The headers have to arrive within {HEAD_SECONDS:g} s"))

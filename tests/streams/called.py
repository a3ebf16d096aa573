"""An http function for tests: a real server that answers as it is told and remembers what it was sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What a function was sent; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What it answers. ``drip``: the body goes out a byte at a time, this many seconds apart."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    drip: float = 0.0


class Function:
    """``answer`` may be replaced at any time; ``requests`` are in the order in which they came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda _: Reply()

    def ids(self) -> list[str]:
        """The ids of the CloudEvents that it was sent."""
        return [request.headers["ce-id"] for request in self.requests]


@contextmanager
def serving() -> Iterator[Function]:
    """A function on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            function.requests.append(request)
            reply = function.answer(request)
            time.sleep(reply.delay)
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True  # the caller did not wait

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            size = 1 if reply.drip else 1 << 20
            for start in range(0, len(reply.body), size):
                time.sleep(reply.drip)
                self.wfile.write(reply.body[start : start + size])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    function = Function(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield function
    finally:
        server.shutdown()
        server.server_close()

"""Requests over kept connections, as fast as answers come, or at a steady rate.

Written for measuring and for nothing else: requests are bytes made beforehand, and of an answer only the
status and the length of its body are read, so that the sender costs little of the cores it shares with what
it measures.
"""

import asyncio
import gc
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from urllib.parse import urlsplit


@dataclass(slots=True)
class Answers:
    """Statuses counted, seconds of each request in the order of answers, and of all together."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def percentile(self, share: float) -> float:
        """The seconds below which ``share`` (0 to 1) of the requests were answered."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request_of(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of one POST."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path or '/'} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send_all(url: str, requests: Sequence[bytes], connections: int = 64, rate: float = 0.0) -> Answers:
    """Send ``requests`` and wait for every answer.

    With a ``rate`` each request has its time, and its seconds count from then: one that had to wait for a
    free connection is slow, and not left out.
    """
    with _collecting_nothing():
        return await _send_all(url, requests, connections, rate)


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """The sender holds many objects: looking through them for garbage would be measured as slow answers."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _send_all(url: str, requests: Sequence[bytes], connections: int, rate: float) -> Answers:
    parts = urlsplit(url)
    answers, waiting = Answers(), deque(requests)
    began = time.perf_counter()
    due = _due(began, rate)
    loop = asyncio.get_running_loop()
    lines = [_Line(answers, waiting, due) for _ in range(min(connections, len(requests)))]
    for line in lines:
        await loop.create_connection(partial(_same, line), parts.hostname or "", parts.port or 80)
    await asyncio.gather(*(line.finished for line in lines))
    answers.elapsed = time.perf_counter() - began
    return answers


def _due(began: float, rate: float) -> Callable[[int], float]:
    return (lambda number: began + number / rate) if rate else (lambda _: 0.0)


def _same(line: "_Line") -> "_Line":
    return line


class _Line(asyncio.Protocol):
    """One connection: it takes the next request as soon as the answer to the one before is there."""

    def __init__(self, answers: Answers, waiting: deque[bytes], due: Callable[[int], float]) -> None:
        self._answers = answers
        self._waiting = waiting
        self._due = due
        self._buffer = b""
        self._sent = 0.0
        self._total = len(waiting)
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no common class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark or len(rest) < _length_of(head):
            return
        self._buffer = b""
        self._answers.statuses[int(head[9:12])] += 1
        self._answers.seconds.append(time.perf_counter() - self._sent)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.finished.done():
            told = dict(self._answers.statuses)
            self.finished.set_exception(
                ConnectionResetError(f"the server closed a connection; answers: {told}")
            )

    def _next(self) -> None:
        if not self._waiting:
            self._end()
            return
        due = self._due(self._total - len(self._waiting))
        request = self._waiting.popleft()
        early = due - time.perf_counter()
        self._sent = due or time.perf_counter()
        if due and early > 0:
            asyncio.get_running_loop().call_later(early, self._transport.write, request)
        else:
            self._transport.write(request)

    def _end(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
        self._transport.close()


def _length_of(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0

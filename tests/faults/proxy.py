"""A way to a server that can be slow, narrow, frozen, cut or closed: what a network does to programs."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum

CHUNK = 65_536  # bytes


class Verdict(Enum):
    """What becomes of a request: passed on; lost with its connection; or passed on and its answer lost."""

    PASS = "pass"
    CUT = "cut"
    CUT_AFTER = "cut after"


Judge = Callable[[bytes], Verdict]
Split = Callable[[bytearray], Iterator[bytes]]


def chunks(buffer: bytearray) -> Iterator[bytes]:
    """Whatever has come in: enough where a client waits for each answer, as asyncpg does."""
    yield bytes(buffer)
    buffer.clear()


def kafka_requests(buffer: bytearray) -> Iterator[bytes]:
    """Complete requests of Kafka's protocol: four bytes of length, then as many."""
    while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
        yield bytes(buffer[:end])
        del buffer[:end]


def kafka_key(request: bytes) -> int:
    """Which call a request makes: 0 produce, 1 fetch, 8 offset commit."""
    return int.from_bytes(request[4:6], "big")


class Proxy:
    """Passes bytes between ``port`` and ``target``.

    ``latency`` is in seconds each way, ``bandwidth`` in bytes a second for each connection and direction.
    ``judge`` decides about each request of a client.
    """

    def __init__(self, target: tuple[str, int], port: int = 0, split: Split = chunks) -> None:
        self.target, self.port = target, port
        self.latency = 0.0
        self.bandwidth: float | None = None
        self.judge: Judge | None = None
        self._split = split
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections and reset those that there are, as a server that dies does."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        self.thaw()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """Cut every connection; new ones are accepted."""
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self) -> None:
        """Keep all connections, take new ones and pass on nothing: a network partition."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Pass on what was held back."""
        self._flowing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            with suppress(OSError):
                back, there = await asyncio.open_connection(*self.target)
                self._writers.add(there)
                try:
                    await asyncio.gather(self._ask(reader, there, writer), self._answer(back, writer))
                finally:
                    self._drop(there)
        except asyncio.CancelledError:
            return
        finally:
            self._tasks.discard(task)
            self._drop(writer)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()

    async def _ask(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, here: asyncio.StreamWriter
    ) -> None:
        buffer = bytearray()
        while content := await reader.read(CHUNK):
            buffer += content
            for request in self._split(buffer):
                verdict = self.judge(request) if self.judge else Verdict.PASS
                if verdict is Verdict.CUT:
                    here.transport.abort()
                    there.transport.abort()
                    return
                await self._pass(request, there)
                if verdict is Verdict.CUT_AFTER:
                    here.transport.abort()
                    there.close()  # and not abort(), which would take back what the server has not read
                    return
        there.close()

    async def _answer(self, back: asyncio.StreamReader, here: asyncio.StreamWriter) -> None:
        while content := await back.read(CHUNK):
            await self._pass(content, here)
        here.close()

    async def _pass(self, content: bytes, writer: asyncio.StreamWriter) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.bandwidth:
            await asyncio.sleep(len(content) / self.bandwidth)
        await self._flowing.wait()
        writer.write(content)
        await writer.drain()

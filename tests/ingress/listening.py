"""An ingress that listens on a real socket, and a client that writes what it wants."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from ingress.app import create_app
from ingress.callers import Callers
from ingress.providers import Webhook
from ingress.server import Server, bind
from ingress.settings import Settings
from tests.ingress.recording import RecordingPublisher

ANSWER_SECONDS = 20


@dataclass
class Listening:
    port: int
    app: FastAPI
    publisher: RecordingPublisher
    server: Server

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()

    async def ask(self, *parts: bytes) -> "Answer":
        """Send ``parts`` over a connection of their own."""
        async with self.connection() as connection:
            for part in parts:
                await connection.send(part)
            return await connection.answer()

    def refused(self, reason: str) -> float:
        registry = self.app.state.metrics.registry
        return registry.get_sample_value("dora_ingress_requests_refused_total", {"reason": reason}) or 0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, part: bytes) -> None:
        self.writer.write(part)
        await self.writer.drain()

    async def send_for_ever(self, part: bytes) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                await self.send(part)

    async def answer(self) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = [line.partition(":") for line in head[1:] if line]
            headers = {name.lower(): value.strip() for name, _, value in fields}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(head[0].split()[1]), headers, body)

    async def is_closed(self) -> bool:
        """Whether the other side ends the connection without saying more."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def listening(
    hooks: Mapping[str, Webhook] | None = None, callers: Callers | None = None, **settings: object
) -> AsyncIterator[Listening]:
    configured = Settings(port=0, **settings)
    publisher = RecordingPublisher()
    app = create_app(configured, publisher, hooks, callers)
    socket = bind(configured)
    server = Server(app, configured)
    # Not serve(): the handlers of signals are the test run's own.
    running = asyncio.create_task(server._serve([socket]))
    while not server.started:
        await asyncio.sleep(0.01)
        if running.done():
            running.result()
    try:
        yield Listening(socket.getsockname()[1], app, publisher, server)
    finally:
        server.should_exit = True
        await running

"""Listeners of the stream: to an application in this process, and to one over HTTP."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from fastapi import FastAPI

PATIENCE = 15.0  # seconds for what has to come


@dataclass(frozen=True)
class Message:
    """A server-sent event."""

    kind: str
    id: str | None
    data: Any


def parse(block: str) -> Message | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
    if "data" not in fields:
        return None
    return Message(fields["event"], fields.get("id"), json.loads(fields["data"]))


class Listening:
    """What comes over one connection: ``chunks``, and ``None`` at its end."""

    def __init__(self, chunks: "asyncio.Queue[bytes | None]") -> None:
        self._chunks = chunks
        self._text = b""

    async def message(self) -> Message | None:
        """The next message; ``None`` at the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            while True:
                block, found, rest = self._text.partition(b"\n\n")
                if found:
                    self._text = rest
                    if (message := parse(block.decode())) is not None:
                        return message
                elif (chunk := await self._chunks.get()) is None:
                    return None
                else:
                    self._text += chunk

    async def next(self, kind: str = "cloudevent") -> Message:
        """The next message of a kind."""
        while (message := await self.message()) is not None:
            if message.kind == kind:
                return message
        raise AssertionError(f"the connection ended without {kind}")

    async def ids(self, number: int) -> list[str]:
        """The ids of the next so many CloudEvents."""
        return [(await self.next()).data["id"] for _ in range(number)]


@asynccontextmanager
async def listening(app: FastAPI, path: str, **headers: str) -> AsyncIterator[Listening]:
    """Listen to ``app``, which runs in this process; the connection is broken at the end."""
    parts = urlsplit(path)
    gone, chunks = asyncio.Event(), asyncio.Queue[bytes | None]()
    status = 0

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            await chunks.put(message["body"])
            if not message.get("more_body"):
                await chunks.put(None)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), text.encode()) for name, text in _fields(headers).items()],
        "client": ("127.0.0.1", 1),
        "server": ("query", 80),
    }
    task = asyncio.create_task(app(scope, receive, send))
    first = await asyncio.wait_for(chunks.get(), PATIENCE)
    assert status == httpx.codes.OK, first
    heard = Listening(chunks)
    heard._text = first or b""
    try:
        yield heard
    finally:
        gone.set()
        await task


@asynccontextmanager
async def connected(url: str, **headers: str) -> AsyncIterator[Listening]:
    """Listen over HTTP."""
    chunks = asyncio.Queue[bytes | None]()

    async def pump(answer: httpx.Response) -> None:
        with contextlib.suppress(httpx.HTTPError):  # broken off
            async for chunk in answer.aiter_bytes():
                await chunks.put(chunk)
        await chunks.put(None)

    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", url, headers=_fields(headers)) as answer,
    ):
        assert answer.status_code == httpx.codes.OK, await answer.aread()
        task = asyncio.create_task(pump(answer))
        try:
            yield Listening(chunks)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): text for name, text in headers.items()}

"""An ingress in this process, in front of a publisher that remembers."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from ingress.app import create_app
from ingress.callers import Callers
from ingress.providers import Webhook
from ingress.publisher import Record
from ingress.settings import Settings


class RecordingPublisher:
    """Confirms at once, unless told to fail or to wait."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.problem: str | None = None
        self.running = False
        self.in_flight = 0
        self.within: float | None = None

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def trouble(self) -> str | None:
        return self.problem

    async def publish(self, records: Sequence[Record], within: float | None = None) -> None:
        self.within = within
        if self.error is not None:
            raise self.error
        if self.gate is not None:
            await self.gate.wait()
        self.records += records


class Ingress:
    """The app, its publisher, and a client that talks to it."""

    def __init__(self, app: FastAPI, publisher: RecordingPublisher, client: httpx.AsyncClient) -> None:
        self.app, self.publisher, self.client = app, publisher, client

    def counter(self, name: str, **labels: str) -> float:
        return self.app.state.metrics.registry.get_sample_value(f"dora_ingress_{name}", labels) or 0

    def assert_all_counted(self) -> None:
        refused = sum(
            sample.value
            for family in self.app.state.metrics.refused.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )
        assert self.counter("requests_total") == self.counter("requests_accepted_total") + refused


@asynccontextmanager
async def running(
    settings: Settings | None = None,
    hooks: Mapping[str, Webhook] | None = None,
    callers: Callers | None = None,
) -> AsyncIterator[Ingress]:
    publisher = RecordingPublisher()
    app = create_app(settings or Settings(), publisher, hooks, callers)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://i") as client,
    ):
        yield Ingress(app, publisher, client)


def assert_problem(response: httpx.Response, status: int, kind: str) -> dict[str, object]:
    """The one shape of every error."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["type"] == f"urn:dora:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document

"""The worker's endpoints: ``/healthz`` (progress), ``/readyz`` (dependencies), ``/metrics`` (Prometheus)."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import mode
import orjson
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.heartbeat import Heartbeat
from streams.pipeline import Pipeline

log = structlog.get_logger(__name__)

PROBE_DEADLINE = 2.0  # seconds to reach PostgreSQL


class Health(mode.Service):
    """Serves the endpoints on the worker's event loop: a blocked loop fails its probes, as it should."""

    def __init__(self, pipeline: Pipeline, heartbeat: Heartbeat, **options: Any) -> None:
        super().__init__(**options)
        self.pipeline = pipeline
        self.heartbeat = heartbeat
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Listen, and say on which port."""
        application = web.Application()
        application.router.add_get("/healthz", self.healthz)
        application.router.add_get("/readyz", self.readyz)
        application.router.add_get("/metrics", self.metrics)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        settings = self.pipeline.settings
        site = web.TCPSite(self._runner, settings.host, settings.worker_port)
        await site.start()
        port = self._runner.addresses[0][1]
        log.info("worker.listening", host=settings.host, port=port)
        if settings.port_file is not None:
            write_port(settings.port_file, port)

    async def on_stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """200 while the worker gets on with its work or knows what it waits for."""
        progress = self.pipeline.app.progress
        patience = self.pipeline.settings.stuck_after
        stuck = progress.stuck(patience)
        behind = progress.silent("lag", patience)
        body = {
            "status": "stuck" if stuck or behind else "ok",
            "stuck": stuck,
            "waiting_for": progress.waiting_for,
            "lag": self.heartbeat.lag,
            "generation": self.pipeline.generation,
        }
        return _json(body, 503 if stuck or behind else 200)

    async def readyz(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """200 when partitions are assigned, tables are recovered and PostgreSQL answers."""
        waiting: list[str] = []
        app = self.pipeline.app
        if app.rebalancing or not app.flow_control.is_active():
            waiting.append("partitions and tables")
        if not await self._postgres_answers():
            waiting.append("PostgreSQL")
        return _json(
            {"status": "waiting" if waiting else "ready", "waiting_for": waiting}, 503 if waiting else 200
        )

    async def metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The Prometheus text format."""
        body = generate_latest(self.pipeline.telemetry.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _postgres_answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                await self.pipeline.database.fetch("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True


def write_port(path: Path, port: int) -> None:
    """Leave the bound port for whoever started us, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(str(port), encoding="ascii")
    partial.replace(path)


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")

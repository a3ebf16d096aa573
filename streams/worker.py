"""One worker process: find the generation to work for, start the application, end with a telling code."""

import asyncio
import time

import asyncpg
import faust
import structlog

from streams.app import create_pipeline
from streams.health import Health
from streams.heartbeat import Heartbeat
from streams.pipeline import Pipeline
from streams.relinker import Relinker
from streams.settings import Settings
from streams.watchdog import Watchdog

log = structlog.get_logger(__name__)

# Seconds that a starting worker waits for PostgreSQL before it gives up.
START_PATIENCE = 60.0
CONNECT_PAUSE = 1.0


class CannotStart(RuntimeError):
    """The worker cannot begin its work; the message says what to do."""


def run(settings: Settings) -> None:
    """Work until told to stop. Raises ``CannotStart``; ends the process by itself when it is stuck."""
    generation, timezone = asyncio.run(find_generation(settings))
    pipeline = create_pipeline(settings, generation, timezone)
    heartbeat = Heartbeat(pipeline)
    worker = faust.Worker(
        pipeline.app,
        Health(pipeline, heartbeat),
        heartbeat,
        Relinker(pipeline),
        override_logging=False,
        redirect_stdouts=False,
        loglevel="WARN",
        quiet=True,
        logging_config=None,
    )
    start_watchdog(pipeline)
    log.info("worker.starting", generation=generation, timezone=timezone)
    worker.execute_from_commandline()


def start_watchdog(pipeline: Pipeline) -> None:
    """Watch the application from a thread of its own."""
    app = pipeline.app
    Watchdog(
        app.progress, stuck_after=pipeline.settings.stuck_after, is_stopping=lambda: bool(app.should_stop)
    ).start()


async def find_generation(settings: Settings) -> tuple[int, str]:
    """The generation to work for and its time zone, once PostgreSQL answers."""
    deadline = time.monotonic() + START_PATIENCE
    while True:
        try:
            connection = await asyncpg.connect(settings.postgres.get_secret_value(), timeout=5)
        except (
            OSError,
            TimeoutError,
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
        ) as error:
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"PostgreSQL does not answer ({type(error).__name__}); check DORA_POSTGRES"
                ) from error
            log.warning("worker.waiting_for_postgres", error=type(error).__name__)
            await asyncio.sleep(CONNECT_PAUSE)
            continue
        try:
            return await _check_generation(connection, settings)
        finally:
            await connection.close()


async def _check_generation(
    connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings
) -> tuple[int, str]:
    try:
        row = await connection.fetchrow(
            "SELECT generation, timezone FROM generations"
            " WHERE CASE WHEN $1::integer IS NULL THEN state = 'active' ELSE generation = $1 END",
            settings.generation,
        )
    except asyncpg.UndefinedTableError as error:
        raise CannotStart("the tables are missing; run: dora migrate") from error
    if row is None:
        raise CannotStart("there is no such generation; run: dora migrate, or unset DORA_GENERATION")
    if settings.timezone not in (None, row["timezone"]):
        raise CannotStart(
            f"the tables are kept in {row['timezone']}, DORA_TIMEZONE says {settings.timezone};"
            f" to change the zone run: dora recompute --timezone {settings.timezone}"
        )
    return int(row["generation"]), str(row["timezone"])

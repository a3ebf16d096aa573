"""One worker process: find the generation to work for, start the application, end with a telling code."""

import asyncio
import shutil
import time

import asyncpg
import faust
import structlog
from faust.exceptions import ConsistencyError

from access.postgres import is_lasting, trouble, without_tls
from streams.app import create_pipeline, load_catalog, load_routes, quiet_clients
from streams.configuration import agree
from streams.health import Health
from streams.heartbeat import Heartbeat
from streams.pipeline import Pipeline
from streams.preparation import wait_for_kafka
from streams.relinker import Relinker
from streams.settings import Settings
from streams.watchdog import Watchdog

log = structlog.get_logger(__name__)

# Seconds that a starting worker waits for PostgreSQL before it gives up.
START_PATIENCE = 60.0
CONNECT_PAUSE = 1.0
FOREIGN_STATE = (
    "the tables in {} know more than their changelogs in Kafka, which were made anew, cut short or belong to"
    " another cluster: delete that folder, start the worker, and run: dora recompute"
)


class CannotStart(RuntimeError):
    """The worker cannot begin its work; the message says what to do."""


def run(settings: Settings) -> None:
    """Work until told to stop. Raises ``CannotStart`` or ``CannotBegin``; ends by itself when it is stuck."""
    # Files that cannot be used are told of before anything is waited for.
    load_catalog(settings.catalog)
    load_routes(settings.routes)
    host = without_tls(settings.postgres.get_secret_value())
    if host is not None:
        log.warning("postgres.without_tls", host=host, advice="add ?sslmode=verify-full to DORA_POSTGRES")
    generation, timezone = asyncio.run(find_generation(settings))
    quiet_clients()
    asyncio.run(wait_for_kafka(settings, generation))
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
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if isinstance(worker.crash_reason, ConsistencyError):
            raise CannotStart(FOREIGN_STATE.format(settings.state_dir)) from ended
        raise


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
            if time.monotonic() > deadline or is_lasting(error):
                raise CannotStart(trouble(error, settings.postgres.get_secret_value())) from error
            log.warning("worker.waiting_for_postgres", error=type(error).__name__)
            await asyncio.sleep(CONNECT_PAUSE)
            continue
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise CannotStart(trouble(error, settings.postgres.get_secret_value())) from error
        try:
            return await _check_generation(connection, settings)
        finally:
            await connection.close()


async def _check_generation(
    connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings
) -> tuple[int, str]:
    try:
        row = await connection.fetchrow(
            "SELECT generation, timezone, state FROM generations"
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
    await agree(connection, settings, int(row["generation"]))
    if row["state"] == "active":
        forget_older(settings, int(row["generation"]))
    return int(row["generation"]), str(row["timezone"])


def forget_older(settings: Settings, active: int) -> None:
    """Remove this worker's tables of generations before the active one, which nobody will read again."""
    for number in range(1, active):
        folder = settings.state_dir / settings.topics.application(number)
        if folder.is_dir() and not folder.is_symlink():
            log.info("worker.old_state_removed", generation=number)
            shutil.rmtree(folder, ignore_errors=True)

"""Reading PostgreSQL: a pool that outlives the server's absences, and statements that are files.

A connection can only read, and a statement has five seconds. Both are settings of the session, beside the
rights of the role, so that a fault here can neither change nor block anything.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, cast

import asyncpg
import structlog

from query.problems import Unavailable

log = structlog.get_logger("query")

STATEMENT_TIMEOUT = 5.0  # seconds
ANSWER_TIMEOUT = 7.0  # seconds; for a server that is gone without having closed the connection
CONNECT_TIMEOUT = 3.0  # seconds
WAIT_FOR_CONNECTION = 3.0  # seconds; with all connections busy, more waiting only makes a longer queue

SESSION = {
    "application_name": "dora-query",
    "default_transaction_read_only": "on",
    "statement_timeout": str(int(STATEMENT_TIMEOUT * 1000)),
    "idle_in_transaction_session_timeout": "15000",
    "timezone": "UTC",
    # Filters that are not given are NULL; only a plan for the values at hand drops them and finds an index.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    # The durations of a fleet's year are 16 MB, put together in memory; with less they go through files.
    "work_mem": "32MB",
}

# Held before the first look, so that a switch to another generation, which replaces these tables, comes
# before or after a reading and never into it.
HOLD = (
    "LOCK TABLE generations, deployment_frequency, deployments, cdevents_raw, changes, incidents,"
    " attributions, deployed_changes, link_days IN ACCESS SHARE MODE"
)

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
# Not the question's fault: no such database, tables not made yet or made anew, too many connections.
NOT_READY = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InsufficientResourcesError,
)


Row = Mapping[str, Any]


class Reading:
    """One moment of the database: all statements of a reading see the same rows of one generation.

    So one that is asked for again with the same values has been answered already.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._found: dict[Any, Sequence[Row]] = {}

    async def rows(self, name: str, *values: Any) -> Sequence[Row]:
        """The rows that the statement called ``name`` finds."""
        key = (name, *(tuple(each) if isinstance(each, list) else each for each in values))
        if key not in self._found:
            self._found[key] = cast("Sequence[Row]", await self._connection.fetch(statement(name), *values))
        return self._found[key]

    async def row(self, name: str, *values: Any) -> Row | None:
        """The one row that the statement called ``name`` finds, or ``None``."""
        return next(iter(await self.rows(name, *values)), None)


class Database:
    """The pool. It connects when it is first asked, so that a start does not need PostgreSQL."""

    def __init__(self, dsn: str, connections: int) -> None:
        self._dsn = dsn
        self._connections = connections
        self._pool: Any = None

    async def open(self) -> None:
        """Make the pool, which belongs to the running event loop; nothing is connected yet."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._connections,
            timeout=CONNECT_TIMEOUT,
            command_timeout=ANSWER_TIMEOUT,
            server_settings=SESSION,
        )

    async def close(self) -> None:
        """Close the connections; those that are busy for longer than a statement may be are cut."""
        try:
            await asyncio.wait_for(self._pool.close(), ANSWER_TIMEOUT)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """A read-only snapshot. Raises ``Unavailable`` when PostgreSQL cannot answer."""
        with _told_as_unavailable():
            async with (
                self._pool.acquire(timeout=WAIT_FOR_CONNECTION) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute(HOLD)
                yield Reading(connection)

    async def lookup(self, name: str, *values: Any) -> Row | None:
        """The first row that one statement finds by itself, in no snapshot. Raises ``Unavailable``."""
        with _told_as_unavailable():
            async with self._pool.acquire(timeout=WAIT_FOR_CONNECTION) as connection:
                return cast("Row | None", await connection.fetchrow(statement(name), *values))


@cache
def statement(name: str) -> str:
    """The text of ``query/statements/<name>.sql``."""
    return files("query").joinpath("statements", f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def _told_as_unavailable() -> Iterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise _unavailable(
            error, "The question takes too long to answer; narrow it, or try later."
        ) from error
    except NOT_READY as error:
        raise _unavailable(error, "PostgreSQL is up, but not ready to answer; is it migrated?") from error
    except UNREACHABLE as error:
        raise _unavailable(error, "PostgreSQL cannot be reached now; try again in some seconds.") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):  # asyncpg.DataError: a value of the wrong type is our fault
            raise
        raise _unavailable(error, "The connection to PostgreSQL was lost; try again.") from error


def _unavailable(error: Exception, told: str) -> Unavailable:
    log.warning("postgres.unavailable", error=type(error).__name__, reason=str(error))
    return Unavailable(told)

"""The connection to PostgreSQL: a pool, statements by name, and transactions inside one generation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import asyncpg

from streams.guard import Superseded

COMMAND_TIMEOUT = 30.0  # seconds; a batch takes milliseconds, so something is wrong by then
# A worker that is frozen in a transaction must not hold up the one that takes its place.
IDLE_TIMEOUT = 5.0  # seconds

# Text, because these classes take their parameter in the stubs only.
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


@cache
def statement(name: str) -> str:
    """The text of ``streams/statements/<name>.sql``."""
    return resources.files("streams.statements").joinpath(f"{name}.sql").read_text(encoding="utf-8")


class Database:
    """Opened at the first use, so that a worker starts while PostgreSQL is still away."""

    def __init__(self, dsn: str, generation: int, *, most_connections: int = 6) -> None:
        self._dsn = dsn
        self.generation = generation
        self._most = most_connections
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def _opened(self) -> "asyncpg.Pool[asyncpg.Record]":
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._most,
                command_timeout=COMMAND_TIMEOUT,
                server_settings={
                    "application_name": f"dora-worker-g{self.generation}",
                    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT:.0f}s",
                },
            )
        return self._pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that sees this generation's tables. Raises ``Superseded`` when it is over."""
        pool = await self._opened()
        try:
            async with self._connection(pool) as connection, connection.transaction():
                state = await connection.fetchval("SELECT enter_generation($1)", self.generation)
                if state not in {"active", "building"}:
                    raise Superseded
                yield connection
        except asyncpg.ReadOnlySQLTransactionError:
            # An old primary stays read-only, and a session stays what it was when it began: connect anew.
            await pool.expire_connections()
            raise

    async def is_building(self, connection: Connection) -> bool:
        """Whether the current transaction writes the tables under construction."""
        path = await connection.fetchval("SELECT current_setting('search_path')")
        return str(path).startswith("building")

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of a read outside of any generation."""
        async with self._connection(await self._opened()) as connection:
            return await connection.fetch(query, *arguments)

    def _connection(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> "asyncpg.pool.PoolAcquireContext[asyncpg.Record]":
        # The limit holds for giving back, too: behind a silent server asyncpg would wait for ever for the
        # cancellation of the statement that timed out, and the stage with it.
        return pool.acquire(timeout=COMMAND_TIMEOUT)

    async def close(self) -> None:
        """Give the connections back, without waiting for a server that is away."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

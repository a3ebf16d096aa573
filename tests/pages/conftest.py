"""A visitor with a real browser, and query processes on databases of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest

from schemas.catalog import Catalog
from streams.sinks.database import Database
from streams.sinks.links import relink
from tests.pages import browsing
from tests.pages.browsing import Visitor
from tests.query.process import running
from tests.query.rows import Tables

Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def visitor(serve: Serve) -> AsyncIterator[Visitor]:
    """Opens pages; at the end nothing that ran in one of them may have complained.

    It leaves before what ``serve`` has started ends. A test with processes of its own enters it after them.
    """
    if browsing.chromium() is None:
        pytest.skip("no Chromium on the PATH; on Debian: apt-get install chromium")
    async with browsing.browser() as launched:
        async with Visitor(launched) as seen:
            yield seen
        assert seen.complaints == []


@pytest.fixture
async def tables(database: str) -> AsyncIterator[Tables]:
    """The tables of ``database``, to be filled."""
    connection = await asyncpg.connect(database)
    yield Tables(connection)
    await connection.close()


@pytest.fixture
async def serve(database: str, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts a query process on ``database`` with further ``DORA_*`` variables; its address."""
    async with AsyncExitStack() as stack:

        async def started(**variables: str) -> str:
            folder = Path(mkdtemp(dir=tmp_path, prefix="query-"))
            told = {"DORA_POSTGRES": database, "DORA_OPEN": "true"} | variables
            return (await stack.enter_async_context(running(folder, **told))).url

        yield started


@pytest.fixture
async def link(database: str, tables: Tables) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Computes what a worker would of the deployments: their frequency, and the links between facts."""
    sink = Database(database, 1)

    async def linked() -> None:
        await tables.keep_frequency()
        places = "SELECT DISTINCT service, environment FROM deployments"
        await tables.connection.execute(f"INSERT INTO relinks {places} ON CONFLICT DO NOTHING")
        while await relink(sink, Catalog.empty()) is not None:
            pass

    yield linked
    await sink.close()

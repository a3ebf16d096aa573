"""The query application on a real database, and rows to fill its tables with."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest

from query.app import create_app
from query.settings import Settings
from schemas.catalog import Catalog
from tests.query.client import client_of
from tests.query.rows import Tables

# A Friday, far from any change of clocks.
NOW = datetime(2026, 7, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
async def tables(database: str) -> AsyncIterator[Tables]:
    """The tables of ``database``, to be filled."""
    connection = await asyncpg.connect(database)
    yield Tables(connection)
    await connection.close()


@pytest.fixture
def catalog() -> Catalog:
    """No catalog; a test that needs one brings its own fixture of this name."""
    return Catalog.empty()


@pytest.fixture
async def api(database: str, catalog: Catalog) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, whose clock stands at ``NOW``."""
    app = create_app(Settings(postgres=database), catalog, now=lambda: NOW)
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def offline() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has no PostgreSQL: what it answers, it answers without asking there."""
    app = create_app(Settings(postgres="postgresql://127.0.0.1:1/none"), Catalog.empty(), now=lambda: NOW)
    async with client_of(app) as client:
        yield client

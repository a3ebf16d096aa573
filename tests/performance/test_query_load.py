"""The history that answers are measured on goes into the tables as they are now."""

import asyncpg

from benchmarks.query_history import Size
from benchmarks.query_load import TABLES, load

SIZE = Size(services=2, deployments=20)


async def test_a_history_fills_every_table_and_leaves_every_index(database: str):
    before = await _indexes(database)

    rows = await load(database, SIZE, say=lambda _: None)

    assert set(rows) == set(TABLES)
    assert rows["deployments"] == rows["attributions"] == SIZE.services * SIZE.deployments
    assert await _indexes(database) == before
    connection = await asyncpg.connect(database)
    assert rows == {
        name: await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608
        for name in TABLES
    }
    await connection.close()


async def _indexes(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
    await connection.close()
    return {row["indexname"] for row in found}

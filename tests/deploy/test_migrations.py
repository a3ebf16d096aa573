"""Migrations on a real PostgreSQL."""

import asyncio
import time

import asyncpg
import pytest

from deploy.migrations import Migration, MigrationError, migrate, plan, read, shipped

pytestmark = pytest.mark.connected

ONE = Migration(
    1,
    "one",
    "CREATE TABLE generations (generation int, state text, timezone text, activated_at timestamptz);",
)
TWO = Migration(2, "two", "CREATE TABLE two (n int); INSERT INTO two VALUES (1);")


async def fetch(dsn: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_a_fresh_database_gets_every_migration_and_its_first_generation(empty_database: str) -> None:
    applied = await migrate(empty_database, timezone="Europe/Vienna")
    assert applied == shipped()
    rows = await fetch(empty_database, "SELECT generation, state, timezone FROM generations")
    assert rows == [(1, "active", "Europe/Vienna")]
    assert await migrate(empty_database, timezone="UTC") == []
    assert await fetch(empty_database, "SELECT timezone FROM generations") == [("Europe/Vienna",)]


async def test_the_database_fixture_is_migrated(database: str) -> None:
    assert await plan(database) == []


async def test_d5_of_two_runs_at_once_one_applies_each_file(empty_database: str) -> None:
    runs = await asyncio.gather(*(migrate(empty_database, migrations=[ONE, TWO]) for _ in range(4)))
    assert sorted(map(len, runs)) == [0, 0, 0, 2]
    assert await fetch(empty_database, "SELECT n FROM two") == [(1,)]
    assert await fetch(empty_database, "SELECT count(*) FROM generations") == [(1,)]


async def test_a_changed_file_is_refused(empty_database: str) -> None:
    await migrate(empty_database, migrations=[ONE, TWO])
    with pytest.raises(MigrationError, match="0002_two is not what was applied"):
        await migrate(empty_database, migrations=[ONE, Migration(2, "two", "SELECT 1")])


async def test_a_database_of_a_newer_version_is_refused(empty_database: str) -> None:
    await migrate(empty_database, migrations=[ONE, TWO])
    with pytest.raises(MigrationError, match="a newer version was here"):
        await migrate(empty_database, migrations=[ONE])


async def test_a_late_comer_is_refused(empty_database: str) -> None:
    await migrate(empty_database, migrations=[ONE, Migration(3, "three", "SELECT 1")])
    with pytest.raises(MigrationError, match="0002_two comes before 0003"):
        await migrate(empty_database, migrations=[ONE, TWO, Migration(3, "three", "SELECT 1")])


async def test_a_migration_that_fails_leaves_nothing(empty_database: str) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (n int); SELECT 1/0;")
    with pytest.raises(MigrationError, match="0002_broken failed: division by zero"):
        await migrate(empty_database, migrations=[ONE, broken])
    assert await fetch(empty_database, "SELECT to_regclass('half')") == [(None,)]
    assert await fetch(empty_database, "SELECT number FROM schema_migrations") == [(1,)]


async def test_d5_a_migration_gives_up_on_a_lock_and_the_old_schema_goes_on(empty_database: str) -> None:
    await migrate(empty_database, migrations=[ONE, TWO])
    alter = Migration(3, "alter", "ALTER TABLE two ADD m int")
    holder = await asyncpg.connect(empty_database)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE two IN ACCESS SHARE MODE")
            began = time.monotonic()
            with pytest.raises(MigrationError, match="0003_alter waited 4s"):
                await migrate(empty_database, migrations=[ONE, TWO, alter])
            assert time.monotonic() - began < 6, "4 s for the lock, and what connecting takes"
            assert await fetch(empty_database, "SELECT n FROM two") == [(1,)], "nobody waits behind it"
    finally:
        await holder.close()
    assert await migrate(empty_database, migrations=[ONE, TWO, alter]) == [alter]


async def test_a_plan_changes_nothing(empty_database: str) -> None:
    assert await plan(empty_database, migrations=[ONE, TWO]) == [ONE, TWO]
    assert await fetch(empty_database, "SELECT to_regclass('schema_migrations')") == [(None,)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_one.sql", "0001_other.sql"], "have the same number"),
        (["1_one.sql"], "is no migration"),
        (["0001_One.sql"], "is no migration"),
    ],
)
def test_files_that_are_no_sequence_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(MigrationError, match=message):
        read(dict.fromkeys(names, ""))

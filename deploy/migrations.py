"""Brings a database to the newest schema: the numbered files of schemas/postgres, forward only.

Each file runs once, in a transaction of its own, with a lock timeout, so that a migration that would stop the
workers gives up instead. Two runs at the same time wait for each other. An applied file never changes again.
"""

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

import asyncpg

from access.postgres import check, trouble, without_tls
from deploy.rights import Rights, grant

# Long enough for a moment between two batches, short enough that nobody behind the waiting lock notices.
LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "60s"
CONNECT_TIMEOUT = 10.0  # seconds
PEER_TIMEOUT = "10min"  # how long a run waits for another run
ADVISORY_LOCK = int.from_bytes(hashlib.sha256(b"dora migrations").digest()[:8], signed=True)
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
FIRST_GENERATION = """
INSERT INTO generations (generation, state, timezone, activated_at)
SELECT 1, 'active', $1, now() WHERE NOT EXISTS (SELECT FROM generations)
"""


class MigrationError(Exception):
    """The schema cannot be brought forward; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


def shipped() -> list[Migration]:
    """The migrations of this version, in order."""
    return read({file.name: file.read_text() for file in (files("schemas") / "postgres").iterdir()})


def read(texts: Mapping[str, str]) -> list[Migration]:
    """The migrations among files given by name; raises `MigrationError` for names that are not one each."""
    migrations: dict[int, Migration] = {}
    for name in sorted(texts):
        if not name.endswith(".sql"):
            continue
        match = FILE_NAME.fullmatch(name)
        if not match:
            raise MigrationError(f"{name} is no migration: name it NNNN_what_it_does.sql")
        migration = Migration(int(match[1]), match[2], texts[name])
        if other := migrations.get(migration.number):
            raise MigrationError(f"{migration} and {other} have the same number: give the later one the next")
        migrations[migration.number] = migration
    return list(migrations.values())


async def migrate(
    dsn: str,
    *,
    timezone: str = "UTC",
    migrations: Sequence[Migration] | None = None,
    roles: Mapping[str, Rights] = MappingProxyType({}),
) -> list[Migration]:
    """Apply what is missing and return it. A fresh database gets its first generation, in ``timezone``.

    ``roles`` get their rights on all tables, new ones included. Raises ``MigrationError``, ``RightsError``.
    """
    connection = await connect(dsn)
    try:
        await wait_for_peers(connection)
        await connection.execute(LEDGER)
        missing = await pending(connection, shipped() if migrations is None else migrations)
        for migration in missing:
            await apply(connection, migration)
        await connection.execute(FIRST_GENERATION, timezone)
        await grant(connection, roles)
        return missing
    finally:
        await connection.close()  # which also gives the advisory lock back


async def plan(dsn: str, *, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """What `migrate` would apply; changes nothing."""
    connection = await connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NULL"):
            return list(shipped() if migrations is None else migrations)
        return await pending(connection, shipped() if migrations is None else migrations)
    finally:
        await connection.close()


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection, or `MigrationError` in words that do not repeat the password."""
    try:
        check(dsn)
    except ValueError as error:
        raise MigrationError(f"DORA_POSTGRES: {error}") from error
    if (host := without_tls(dsn)) is not None:
        advice = "add ?sslmode=verify-full to DORA_POSTGRES"
        sys.stderr.write(f"warning: PostgreSQL at {host} is spoken to without TLS: {advice}\n")
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT)
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        raise MigrationError(trouble(error, dsn)) from error


async def wait_for_peers(connection: asyncpg.Connection) -> None:
    """Hold the lock that only one run has."""
    await connection.execute(f"SET lock_timeout = '{PEER_TIMEOUT}'")
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError(
            f"another run of `dora migrate` has held the lock for {PEER_TIMEOUT}: see what it waits for"
        ) from error
    await connection.execute("RESET lock_timeout")


async def pending(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """The migrations that were not applied; raises `MigrationError` when history and files disagree."""
    rows = await connection.fetch("SELECT number, name, digest FROM schema_migrations ORDER BY number")
    known = {migration.number: migration for migration in migrations}
    for row in rows:
        compare(row, known.get(row["number"]))
    last = rows[-1]["number"] if rows else 0
    applied = {row["number"] for row in rows}
    missing = [migration for migration in migrations if migration.number not in applied]
    if missing and missing[0].number < last:
        raise MigrationError(
            f"{missing[0]} comes before {last:04}, which is applied: give it a number after {last:04}"
        )
    return missing


def compare(row: asyncpg.Record, migration: Migration | None) -> None:
    """Raise `MigrationError` unless the applied ``row`` is ``migration``."""
    if migration is None:
        raise MigrationError(
            f"the database has {row['number']:04}_{row['name']}, which this version does not know: "
            "a newer version was here, run that one"
        )
    if (row["name"], row["digest"]) != (migration.name, migration.digest):
        raise MigrationError(
            f"{migration} is not what was applied as {row['number']:04}_{row['name']}: restore the file and "
            "put the change into a new migration"
        )


async def apply(connection: asyncpg.Connection, migration: Migration) -> None:
    """Run one migration, or nothing of it."""
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (number, name, digest) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.digest,
            )
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError(
            f"{migration} waited {LOCK_TIMEOUT} for a lock that another session holds. Nothing of it was "
            "applied: run it again, at a quieter time"
        ) from error
    except asyncpg.QueryCanceledError as error:
        raise MigrationError(
            f"{migration} took longer than {STATEMENT_TIMEOUT}. Nothing of it was applied"
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration} failed: {error}. Nothing of it was applied") from error

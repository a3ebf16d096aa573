"""One database per test, copied from a migrated template: 20 ms instead of all migrations."""

from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from deploy.migrations import migrate

TEMPLATE = "dora_template"


def named(dsn: str, database: str) -> str:
    """``dsn`` with another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


async def execute(dsn: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def create_template(admin: str) -> str:
    """A migrated database that only serves to be copied; its name."""
    name = f"{TEMPLATE}_{uuid4().hex[:8]}"
    await execute(admin, f'CREATE DATABASE "{name}"')
    await migrate(named(admin, name))
    return name


async def create_database(admin: str, template: str | None = None) -> str:
    """A fresh database, a copy of ``template`` or empty; its DSN."""
    name = f"test_{uuid4().hex[:12]}"
    await execute(admin, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    return named(admin, name)


async def drop_database(admin: str, dsn: str) -> None:
    """Remove a test's database, disconnecting what still uses it."""
    name = urlsplit(dsn).path.lstrip("/")
    await execute(admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

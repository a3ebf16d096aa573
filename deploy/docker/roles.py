"""The roles of a database server that is ours alone: ``python -m deploy.docker.roles``.

For the compose file and the chart's own PostgreSQL; a managed server's roles are made by who runs it
(docs/operating.md, "Tables"). Safe to run again; run with other passwords, it changes them.

Environment: ADMIN_POSTGRES is a superuser's URL; OWNER_PASSWORD, WORKER_PASSWORD, READER_PASSWORD,
DASHBOARDS_PASSWORD.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping

import asyncpg

DATABASE = OWNER = "dora"
WORKER, READER, DASHBOARDS = "dora_worker", "dora_query", "dora_grafana"
PASSWORDS = {
    OWNER: "OWNER_PASSWORD",
    WORKER: "WORKER_PASSWORD",
    READER: "READER_PASSWORD",
    DASHBOARDS: "DASHBOARDS_PASSWORD",
}
PATIENCE, PAUSE = 60.0, 1.0  # seconds


class RolesError(Exception):
    """The roles cannot be made; the message says what to do."""


async def create_roles(admin: str, passwords: Mapping[str, str]) -> None:
    """The owner, who is no superuser, and the others, whose rights `dora migrate` gives; the database."""
    connection = await connect(admin)
    try:
        for role, password in passwords.items():
            there = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            literal = await connection.fetchval("SELECT quote_literal($1)", password)
            await connection.execute(f"{'ALTER' if there else 'CREATE'} ROLE {role} LOGIN PASSWORD {literal}")
        for role in (READER, DASHBOARDS):
            await connection.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
            await connection.execute(f"REVOKE pg_read_all_data FROM {role}")  # from before there were keys
        # A panel of somebody's own must not hold up the workers.
        await connection.execute(f"ALTER ROLE {DASHBOARDS} SET statement_timeout = '15s'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        await connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {DATABASE} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {WORKER}, {READER}, {DASHBOARDS}")
    finally:
        await connection.close()


async def connect(admin: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection, once the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await asyncpg.connect(admin, timeout=5)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
            if time.monotonic() > deadline:
                raise RolesError("PostgreSQL does not answer; check ADMIN_POSTGRES") from error
            await asyncio.sleep(PAUSE)
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise RolesError(
                "PostgreSQL refuses the superuser's password. It is set when the volume is made: "
                "restore the first one, or remove the volume and its data"
            ) from error


def main(environment: Mapping[str, str]) -> int:
    """The exit code."""
    missing = [name for name in ("ADMIN_POSTGRES", *PASSWORDS.values()) if not environment.get(name)]
    if missing:
        sys.stderr.write(f"roles: set {', '.join(missing)}\n")
        return 2
    passwords = {role: environment[name] for role, name in PASSWORDS.items()}
    try:
        asyncio.run(create_roles(environment["ADMIN_POSTGRES"], passwords))
    except RolesError as error:
        sys.stderr.write(f"roles: {error}\n")
        return 1
    sys.stdout.write(f"roles {', '.join(passwords)} and database {DATABASE} are there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

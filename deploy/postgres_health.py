"""Whether PostgreSQL is as the pipeline needs it. Only reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from access.postgres import trouble, without_tls
from deploy.agreement import other_files
from deploy.findings import Doubtful, Failed, some
from deploy.installation import UNREADABLE, Installation
from deploy.migrations import MigrationError, pending, shipped
from deploy.rights import WORKER, Rights
from streams.app import load_catalog, load_routes
from streams.configuration import digest_of

CLOCK_APART = 2.0  # seconds

GENERATION = """
SELECT generation, timezone, catalog_digest, routes_digest,
       (SELECT max(generation) FROM generations WHERE state = 'building') AS building
  FROM generations WHERE state = 'active'
"""
ROLE = """
SELECT current_user AS name, rolsuper AS super, pg_has_role(current_user, relowner, 'USAGE') AS owns
  FROM pg_roles, pg_class
 WHERE rolname = current_user AND pg_class.oid = to_regclass('public.cloudevents_raw')
"""
HELD = """
SELECT CASE WHEN $2 = 'DELETE' THEN has_table_privilege(format('public.%I', $1::text), $2)
            ELSE has_any_column_privilege(format('public.%I', $1::text), $2::text) END
"""


@asynccontextmanager
async def connected(place: Installation) -> AsyncIterator[Any]:
    """A connection to PostgreSQL."""
    try:
        connection = await asyncpg.connect(place.dsn)
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        raise Failed(trouble(error, place.dsn)) from error
    try:
        yield connection
    finally:
        connection.terminate()


async def postgres(place: Installation) -> str:
    """Whether PostgreSQL lets us in, and without being overheard."""
    async with connected(place) as connection:
        version = await connection.fetchval("SHOW server_version")
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    if (host := without_tls(place.dsn)) is not None:
        raise Doubtful(
            f"PostgreSQL {version} at {host} is spoken to without insisting on TLS",
            "add ?sslmode=verify-full to DORA_POSTGRES",
        )
    return f"PostgreSQL {version}, {'with TLS' if encrypted else 'on this machine'}"


async def schema(place: Installation) -> str:
    """Whether every migration was applied."""
    async with connected(place) as connection:
        if await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NULL"):
            raise Failed("the database is empty", "run: dora migrate")
        try:
            missing = await pending(connection, shipped())
        except MigrationError as error:
            raise Failed(str(error)) from error
    if missing:
        raise Failed(f"not applied: {', '.join(map(str, missing))}", "run: dora migrate")
    return f"at {shipped()[-1]}"


async def rights(place: Installation) -> str:
    """Whether the role may do what a worker does."""
    async with connected(place) as connection:
        role = await connection.fetchrow(ROLE)
        if role["super"] or role["owns"]:
            return f"{role['name']} {'is a superuser' if role['super'] else 'owns the tables'}"
        lacking = [
            f"{privilege} on {table}"
            for table, privilege in wanted(WORKER)
            if not await connection.fetchval(HELD, table, privilege)
        ]
    if lacking:
        raise Failed(
            f"the role {role['name']} is no worker: it lacks {some(lacking)}",
            f"as the owner, run: dora migrate --worker-role {role['name']}",
        )
    return f"{role['name']} may do what a worker does"


def wanted(rights: Rights) -> list[tuple[str, str]]:
    """Each table with each privilege on it, columns left out."""
    return [
        (table, privilege)
        for table, privileges in rights.tables.items()
        for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if privilege in privileges
    ]


async def generation(place: Installation) -> str:
    """Whether a generation is active, and made with what the settings say now."""
    known = place.known
    async with connected(place) as connection:
        row = await connection.fetchrow(GENERATION)
    if row is None:
        raise Failed("there is no active generation", "run: dora migrate")
    place.generation = int(row["generation"])
    if known.timezone not in (None, row["timezone"]):
        raise Failed(
            f"the tables are kept in {row['timezone']}, DORA_TIMEZONE says {known.timezone}",
            "unset it, or run: dora recompute --timezone",
        )
    try:
        told = other_files(
            row, load_catalog(known.catalog).facts_digest, digest_of(load_routes(known.routes))
        )
    except UNREADABLE:
        told = []  # which the checks of these files say
    if told:
        raise Doubtful(
            "; ".join(told), "give the files of the workers, or run: dora recompute; workers do not start so"
        )
    building = f", {row['building']} is being built" if row["building"] is not None else ""
    return f"{row['generation']} is active, in {row['timezone']}{building}"


async def clock(place: Installation) -> str:
    """How far the clock here is from PostgreSQL's."""
    async with connected(place) as connection:
        before = datetime.now(UTC)
        there = await connection.fetchval("SELECT clock_timestamp()")
        after = datetime.now(UTC)
    # Somewhere between the two it was read.
    apart = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if apart > CLOCK_APART:
        raise Doubtful(
            f"it is {apart:.1f} s apart from PostgreSQL's",
            "keep both with NTP: times of arrival depend on it",
        )
    return f"within {CLOCK_APART:g} s of PostgreSQL's"


async def dead_letters(place: Installation) -> str:
    """Whether events wait for somebody."""
    async with connected(place) as connection:
        number = await connection.fetchval("SELECT count(*) FROM deadletters WHERE state = 'open'")
    if number:
        raise Doubtful(f"{number} are open", "see: dora deadletters list")
    return "none is open"

"""What each role may do in the database, table by table, and nothing beside it.

Three roles. The owner makes and changes tables (`dora migrate`, `dora recompute`, `dora keys`). A worker
writes rows; it can neither change a table nor read keys. The query process reads, and can ask of one key
whether it is valid. Beside them dashboards read what the query process reads, and know of no keys at all.
`dora migrate` gives these rights each time, so that a role also has them on tables that are new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

READ, ADD = "SELECT", "SELECT, INSERT"
MERGE = "SELECT, INSERT, UPDATE"
KEEP = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Rights:
    """Privileges on tables, and functions that may be called which nobody else may."""

    tables: Mapping[str, str]
    functions: Sequence[str] = field(default=())


WORKER = Rights(
    {
        # Which catalog and routes a generation was made with is for the first worker to say; the rest is not.
        "generations": "SELECT, UPDATE (catalog_digest, routes_digest)",
        "schema_migrations": READ,
        # What was dead can become something else; what came in never changes.
        "cloudevents_raw": "SELECT, INSERT, UPDATE (fate, reason, rule, outputs, recorded_in)",
        "cdevents_raw": ADD,
        "deadletters": MERGE,
        "deployments": MERGE,
        "changes": MERGE,
        "pushes": MERGE,
        "artifacts": MERGE,
        "incidents": MERGE,
        "corrections": MERGE,
        "relinks": KEEP,
        "homes": ADD,
        "attributions": KEEP,
        "deployed_changes": KEEP,
        "link_days": KEEP,
        "deployment_frequency": KEEP,
        "frequency_positions": KEEP,
    }
)
ANSWERED = (
    "generations",
    "cloudevents_raw",
    "cdevents_raw",
    "deadletters",
    "deployments",
    "deployment_frequency",
    "changes",
    "incidents",
    "attributions",
    "deployed_changes",
    "link_days",
)
# Functions that nobody may call who is not named here.
GUARDED = ("public.authenticate_key(text, bytea)",)
QUERY = Rights(dict.fromkeys(ANSWERED, READ), GUARDED)
DASHBOARDS = Rights(dict.fromkeys(ANSWERED, READ))


class RightsError(Exception):
    """Rights cannot be given; the message says what to do."""


OWNED = """
SELECT oid::regclass::text FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner = $1::regrole
"""


async def grant(connection: "asyncpg.Connection[asyncpg.Record]", roles: Mapping[str, Rights]) -> None:
    """Give each of ``roles`` exactly these rights on the tables of the role of ``connection``.

    Raises ``RightsError``; then nothing has changed for that role.
    """
    for role, rights in roles.items():
        await _check(connection, role)
        async with connection.transaction():
            # A switch to another generation replaces the tables.
            await connection.execute("SELECT pg_advisory_xact_lock_shared(hashtext('dora.generation'))")
            await _grant(connection, role, rights)


async def _check(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> None:
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
        raise RightsError(f"there is no role {role!r}: let an administrator create it, with LOGIN")
    if await connection.fetchval("SELECT pg_has_role($1, current_user, 'USAGE')", role):
        raise RightsError(
            f"{role!r} may do all that the tables' owner may: name a role that is no member of it"
        )


async def _grant(connection: "asyncpg.Connection[asyncpg.Record]", role: str, rights: Rights) -> None:
    name = await connection.fetchval("SELECT quote_ident($1)", role)
    owner = await connection.fetchval("SELECT quote_ident(current_user)")
    # What it has from before is given up first, on tables that it has no business with any more, too.
    for (table,) in await connection.fetch(OWNED, owner):
        await connection.execute(f"REVOKE ALL ON TABLE {table} FROM {name}")
    for function in GUARDED:
        await connection.execute(f"REVOKE ALL ON FUNCTION {function} FROM {name}")
    if not await connection.fetchval("SELECT has_schema_privilege($1, 'public', 'USAGE')", role):
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
    for table, privileges in rights.tables.items():
        await connection.execute(f"GRANT {privileges} ON TABLE public.{table} TO {name}")
    for function in rights.functions:
        await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {name}")

"""Three roles on a real server: each can do its work, and is denied everything else by PostgreSQL itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from access.keys import new_key
from deploy.migrations import migrate
from deploy.rights import ANSWERED, DASHBOARDS, QUERY, WORKER, RightsError
from query.app import create_app
from query.settings import Settings
from schemas.catalog import Catalog
from streams.sinks.database import Database
from tests.infra.commands import dora
from tests.infra.databases import drop_database, execute, named
from tests.infra.servers import Infra
from tests.query.client import client_of

pytestmark = pytest.mark.connected
KINDS = {"worker": WORKER, "query": QUERY, "dashboards": DASHBOARDS}
EVERYWHERE = {"api_keys", "schema_migrations"}


@dataclass(frozen=True)
class Roles:
    """The URLs of the roles of one database, and their names."""

    owner: str
    worker: str
    query: str
    dashboards: str
    names: dict[str, str]

    def url(self, kind: str) -> str:
        return str(getattr(self, kind))


def url(infra: Infra, role: str, database: str) -> str:
    parts = urlsplit(infra.postgres)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:secret@{place}", path=f"/{database}"))


@pytest.fixture(scope="module")
async def roles(infra: Infra) -> AsyncIterator[Roles]:
    """Roles of our own, so that tests of others beside us are not in the way."""
    mark = uuid4().hex[:6]
    names = {kind: f"t{mark}_{kind}" for kind in ("owner", *KINDS)}
    database = f"rights_{mark}"
    for name in names.values():
        await execute(infra.postgres, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    await execute(infra.postgres, f"CREATE DATABASE {database} OWNER {names['owner']}")
    made = Roles(*(url(infra, name, database) for name in names.values()), names)
    await migrate(made.owner, roles={names[kind]: rights for kind, rights in KINDS.items()})
    yield made
    await drop_database(infra.postgres, named(infra.postgres, database))
    for name in names.values():
        await execute(infra.postgres, f"DROP ROLE {name}")


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def held(roles: Roles, kind: str) -> dict[str, set[str]]:
    """What a role may do with each table, by PostgreSQL's own word, columns included."""
    connection = await asyncpg.connect(roles.owner)
    try:
        rows = await connection.fetch(
            "SELECT tablename, privilege FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',"
            " 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege WHERE schemaname = 'public' AND"
            " has_table_privilege($1, format('public.%I', tablename), privilege)",
            roles.names[kind],
        )
    finally:
        await connection.close()
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["tablename"], set()).add(row["privilege"])
    return found


async def test_of_every_table_it_is_said_who_may_what(roles: Roles):
    """A new table fails this until it stands in deploy/rights.py; nobody has rights on it by default."""
    assert await tables(roles.owner) == {*WORKER.tables, *QUERY.tables, *EVERYWHERE}


@pytest.mark.parametrize("kind", KINDS)
async def test_q6_a_role_has_what_is_written_down_and_nothing_else(roles: Roles, kind: str):
    written = {
        table: {privilege for privilege in text.split(", ") if privilege.isupper() and "(" not in privilege}
        for table, text in KINDS[kind].tables.items()
    }
    # UPDATE (column, ...) is no right on the table.
    written["generations"] = {"SELECT"}
    assert await held(roles, kind) == written


TABLES = sorted({*WORKER.tables, *ANSWERED, *EVERYWHERE})


@pytest.mark.parametrize("kind", ["query", "dashboards"])
@pytest.mark.parametrize("table", TABLES)
async def test_q6_who_reads_cannot_write(roles: Roles, kind: str, table: str):
    for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(roles.url(kind), f"BEGIN READ WRITE; {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE deployments ADD COLUMN mine integer",
        "DROP TABLE deployments",
        "TRUNCATE deployments",
        "CREATE INDEX mine ON deployments (service)",
        "CREATE TRIGGER mine AFTER INSERT ON deployments EXECUTE FUNCTION begin_generation()",
        "SELECT begin_generation('UTC', '')",
        "UPDATE generations SET state = 'retired'",
        "INSERT INTO generations (generation, state, timezone) VALUES (9, 'retired', 'UTC')",
        "DELETE FROM cloudevents_raw",
        "UPDATE cloudevents_raw SET body = ''",
        "DELETE FROM schema_migrations",
        "SELECT * FROM api_keys",
        "SELECT * FROM authenticate_key('0123456789', '')",
        "INSERT INTO api_keys (key_id, name, digest, rights) VALUES ('0123456789', 'mine', '', '{metrics}')",
        "SET ROLE postgres",
        "COPY deployments TO PROGRAM 'true'",
        "SELECT pg_read_file('pg_hba.conf')",
    ],
)
async def test_q6_a_worker_can_change_no_table_and_see_no_key(roles: Roles, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(roles.worker, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT digest FROM api_keys",
        "SELECT name FROM api_keys",
        "SELECT * FROM pushes",
        "SELECT * FROM corrections",
        "SELECT copy_rights('deployments', 'api_keys')",
        "SELECT begin_generation('UTC', '')",
        "CREATE TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "SELECT pg_read_file('pg_hba.conf')",
        "SELECT lo_import('/etc/passwd')",
    ],
)
@pytest.mark.parametrize("kind", ["query", "dashboards"])
async def test_q6_who_reads_reads_no_more_than_answers_need(roles: Roles, kind: str, statement: str):
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)):
        await execute(roles.url(kind), f"BEGIN READ WRITE; {statement}")


async def test_q6_the_query_role_learns_of_a_key_by_its_secret_alone(roles: Roles):
    key, _ = new_key()
    owner = await asyncpg.connect(roles.owner)
    reader = await asyncpg.connect(roles.query)
    try:
        await owner.execute(
            "INSERT INTO api_keys (key_id, name, digest, rights) VALUES ($1, 'one', $2, '{metrics}')",
            key.id,
            key.digest,
        )
        asked = "SELECT name FROM authenticate_key($1, $2)"
        assert await reader.fetchval(asked, key.id, key.digest) == "one"
        assert await reader.fetchval(asked, key.id, key.digest[:-1]) is None
        assert await reader.fetchval(asked, key.id, b"") is None
        assert await reader.fetchval(asked, key.id, None) is None
        assert await reader.fetchval(asked, "%", key.digest) is None
        await owner.execute("DELETE FROM api_keys")
    finally:
        await owner.close()
        await reader.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(roles.dashboards, "SELECT * FROM authenticate_key('0123456789', '')")


async def test_q6_a_table_of_the_readers_own_cannot_stand_in_for_the_keys(roles: Roles):
    """The function runs as the owner: what it looks at must not depend on who calls it."""
    reader = await asyncpg.connect(roles.query)
    try:
        await reader.execute("SET default_transaction_read_only = off")
        await reader.execute(
            "CREATE TEMPORARY TABLE api_keys AS SELECT '0123456789'::text AS key_id, 'forged'::text AS name,"
            " ''::bytea AS digest, NULL::text[] AS teams, '{metrics}'::text[] AS rights,"
            " NULL::timestamptz AS expires_at, NULL::timestamptz AS revoked_at"
        )
        assert await reader.fetch("SELECT * FROM authenticate_key('0123456789', '')") == []
    finally:
        await reader.close()


async def test_rights_outlive_a_recompute(roles: Roles):
    before = {kind: await held(roles, kind) for kind in KINDS}
    owner = await asyncpg.connect(roles.owner)
    try:
        number = await owner.fetchval("SELECT begin_generation('UTC', '')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(roles.query, "SELECT * FROM building.deployments")
        await owner.execute("SELECT activate_generation($1)", number)
    finally:
        await owner.close()
    assert {kind: await held(roles, kind) for kind in KINDS} == before
    database = Database(roles.worker, number)
    try:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO relinks VALUES ('shop', 'production')")
            await connection.execute("DELETE FROM relinks")
    finally:
        await database.close()
    async with client_of(create_app(Settings(postgres=roles.query), Catalog.empty())) as client:
        for path in ("/readyz", "/", "/deploy-frequency/day", "/v1/services", "/v1/changes", "/v1/events"):
            assert (await client.get(path)).status_code == 200, path


async def test_rights_that_were_given_otherwise_are_taken_back(roles: Roles):
    name = roles.names["query"]
    await execute(roles.owner, f"GRANT INSERT, SELECT ON deployments, pushes, api_keys TO {name}")
    await migrate(roles.owner, roles={name: QUERY})
    assert "pushes" not in await held(roles, "query")
    assert "api_keys" not in await held(roles, "query")
    assert (await held(roles, "query"))["deployments"] == {"SELECT"}


async def test_a_role_that_is_not_there_is_named(roles: Roles):
    with pytest.raises(RightsError, match="there is no role 'nobody\"; DROP'"):
        await migrate(roles.owner, roles={'nobody"; DROP': QUERY})
    with pytest.raises(RightsError, match="may do all that the tables' owner may"):
        await migrate(roles.owner, roles={roles.names["owner"]: QUERY})


def test_the_command_gives_rights(roles: Roles):
    options = [f"--{kind}-role={roles.names[kind]}" for kind in ("worker", "query")]
    done = dora("migrate", *options, DORA_POSTGRES=roles.owner)
    assert done.returncode == 0, done.stderr
    assert f"{roles.names['worker']} has its rights" in done.stderr
    done = dora("migrate", DORA_QUERY_ROLE="nobody-here", DORA_POSTGRES=roles.owner)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("dora: there is no role 'nobody-here'")

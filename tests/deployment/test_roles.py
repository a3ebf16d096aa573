"""The roles of a database that is ours: made once, changed on the second run, with no right too many."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy import rights
from deploy.docker.roles import DASHBOARDS, DATABASE, OWNER, READER, WORKER, create_roles
from deploy.migrations import migrate
from tests.infra.databases import drop_database, execute
from tests.infra.servers import Infra

pytestmark = pytest.mark.connected
FIRST = {
    OWNER: "first'owner",
    WORKER: "first-worker",
    READER: "first-reader",
    DASHBOARDS: "first-dashboards",
}
RIGHTS = {WORKER: rights.WORKER, READER: rights.QUERY, DASHBOARDS: rights.DASHBOARDS}
SECOND = {role: f"second-{role}" for role in FIRST}


def url(infra: Infra, role: str, password: str) -> str:
    """The URL of a role on the database that was made."""
    found = urlsplit(infra.postgres)
    place = found.netloc.rpartition("@")[2]
    return urlunsplit(found._replace(netloc=f"{role}:{password}@{place}", path=f"/{DATABASE}"))


@pytest.fixture
async def server(infra: Infra) -> AsyncIterator[Infra]:
    """The server with our roles; the last run's passwords are SECOND."""
    await create_roles(infra.postgres, FIRST)
    await create_roles(infra.postgres, SECOND)
    yield infra
    await drop_database(infra.postgres, url(infra, OWNER, ""))
    for role in FIRST:
        await execute(infra.postgres, f"DROP OWNED BY {role}")
        await execute(infra.postgres, f"DROP ROLE {role}")


async def test_q6_the_owner_migrates_and_the_others_write_rows_or_read(server: Infra):
    await migrate(url(server, OWNER, SECOND[OWNER]), roles=RIGHTS)
    worker = url(server, WORKER, SECOND[WORKER])
    await execute(worker, "INSERT INTO relinks VALUES ('shop', 'production')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(worker, "CREATE TABLE mine (id integer)")
    for role in (READER, DASHBOARDS):
        dsn = url(server, role, SECOND[role])
        await execute(dsn, "SELECT count(*) FROM cloudevents_raw")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(dsn, "BEGIN READ WRITE; DELETE FROM deployments")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await execute(dsn, "CREATE TEMPORARY TABLE mine (id integer)")


async def test_nobody_is_a_superuser_and_an_old_password_is_over(server: Infra):
    connection = await asyncpg.connect(server.postgres)
    try:
        rows = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY($1)"
            " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)",
            list(FIRST),
        )
    finally:
        await connection.close()
    assert rows == []
    with pytest.raises(asyncpg.InvalidPasswordError):
        await execute(url(server, READER, FIRST[READER]), "SELECT 1")

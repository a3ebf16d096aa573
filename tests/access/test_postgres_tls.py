"""PostgreSQL over TLS, against a real server that lets nobody in without it: every process that connects."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy import keys
from deploy.migrations import MigrationError, connect, migrate
from query.app import create_app
from query.settings import Settings as QuerySettings
from schemas.catalog import Catalog
from streams.settings import Settings as WorkerSettings
from streams.sinks.database import Database
from streams.worker import CannotStart, find_generation
from tests.infra.certificates import Authority
from tests.infra.commands import dora
from tests.infra.databases import drop_database, execute, named
from tests.infra.secure_postgres import Secure, fronted, installed, real
from tests.infra.servers import Infra
from tests.query.client import client_of

pytestmark = pytest.mark.connected
NAME = "dora_over_tls"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    return Authority(folder, "stranger")


@pytest.fixture(scope="module")
def server(infra: Infra, folder: Path, authority: Authority) -> Iterator[Secure]:
    """For 127.0.0.1 and not for localhost."""
    certificate, programs = authority.sign("server", "127.0.0.1"), installed()
    running = fronted(infra.postgres, certificate) if programs is None else real(
        programs, certificate, authority.file
    )  # fmt: skip
    with running as secure:
        yield secure


@pytest.fixture(scope="module")
def trusted(server: Secure, authority: Authority) -> Iterator[str]:
    """The URL of a migrated database, with everything right."""
    admin = server.told(sslmode="verify-full", sslrootcert=authority.file)

    async def made() -> str:
        await execute(admin, f"CREATE DATABASE {NAME}")
        await migrate(named(admin, NAME))
        return named(admin, NAME)

    yield asyncio.run(made())
    asyncio.run(drop_database(admin, named(admin, NAME)))


async def test_the_connection_is_encrypted(trusted, server):
    connection = await connect(trusted)
    try:
        if server.is_real:
            row = await connection.fetchrow(
                "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            )
            assert row["ssl"]
            assert row["version"] in {"TLSv1.2", "TLSv1.3"}
    finally:
        await connection.close()


async def test_every_process_connects_by_the_url_alone(trusted):
    assert await find_generation(WorkerSettings(postgres=trusted)) == (1, "UTC")
    database = Database(trusted, 1)
    try:
        async with database.transaction() as connection:
            assert await connection.fetchval("SELECT count(*) FROM deployments") == 0
    finally:
        await database.close()
    app = create_app(QuerySettings(postgres=trusted), Catalog.empty())
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 200
    text, made = await keys.create(trusted, "over-tls", teams=[], rights=["metrics"], expires=None)
    assert text.startswith(f"dora_{made.key_id}_")


def refused(server: Secure, case: str, authority: Authority, stranger: Authority) -> tuple[str, str]:
    """A URL that must not be followed, and what is said of it."""
    return {
        "authority": (
            server.told(sslmode="verify-full", sslrootcert=stranger.file),
            "is not signed by an authority in sslrootcert",
        ),
        "host": (
            server.told("localhost", sslmode="verify-full", sslrootcert=authority.file),
            "is for another host",
        ),
        "plain": (server.told(sslmode="disable"), "lets nobody in without TLS"),
    }[case]


CASES = ("authority", "host", "plain")


@pytest.mark.parametrize("case", CASES)
async def test_what_is_wrong_is_refused_with_a_reason(case, server, authority, stranger):
    url, told = refused(server, case, authority, stranger)
    if case == "plain" and not server.is_real:
        pytest.skip("no PostgreSQL that is built with TLS is installed here")
    with pytest.raises(MigrationError, match=told):
        await connect(url)
    with pytest.raises(CannotStart, match=told):
        await asyncio.wait_for(find_generation(WorkerSettings(postgres=url)), 10)
    app = create_app(QuerySettings(postgres=url), Catalog.empty())
    async with client_of(app) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "certificate" not in answer.text


@pytest.mark.parametrize(("case", "command"), [("authority", "migrate"), ("host", "worker")])
def test_a_command_ends_with_1_and_one_line(case, command, server, authority, stranger, tmp_path):
    url, told = refused(server, case, authority, stranger)
    done = dora(command, DORA_POSTGRES=url, DORA_STATE_DIR=str(tmp_path), timeout=40)
    assert done.returncode == 1
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "tls-password" not in done.stderr


async def test_a_client_certificate_stands_for_the_password(trusted, server, authority, stranger):
    if not server.is_real:
        pytest.skip("no PostgreSQL that is built with TLS is installed here")
    await execute(trusted, "CREATE ROLE certified LOGIN")
    try:
        ours, theirs = authority.sign("client"), stranger.sign("client-of-a-stranger")
        base = trusted.replace("postgres:tls-password@", "certified@")
        connection = await asyncpg.connect(f"{base}&sslcert={ours}&sslkey={ours}")
        assert await connection.fetchval("SELECT current_user") == "certified"
        await connection.close()
        with pytest.raises(MigrationError):
            await connect(base)
        with pytest.raises(MigrationError):
            await connect(f"{base}&sslcert={theirs}&sslkey={theirs}")
    finally:
        await execute(trusted, "DROP ROLE certified")

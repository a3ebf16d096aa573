"""PostgreSQL away at the start, in between, and silent: 503 with a problem, then well again by itself."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from query.app import create_app
from query.database import SESSION, Database, Reading
from query.settings import Settings
from schemas.catalog import Catalog
from tests.infra.databases import create_database, drop_database
from tests.infra.production import eventually
from tests.query.client import client_of
from tests.query.proxy import Proxy

pytestmark = [pytest.mark.connected, pytest.mark.fault]

QUESTIONS = [
    "/deploy-frequency/day",
    "/v1/metrics/deployment-frequency",
    "/v1/services",
    "/v1/events",
    "/readyz",
    "/",
]


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(database)
    yield proxy
    await proxy.close()


def application(dsn: str):
    return client_of(create_app(Settings(postgres=dsn), Catalog.empty()))


def unavailable(answer: httpx.Response) -> dict:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:dora:problem:unavailable"
    return answer.json()


async def test_away_at_the_start_and_in_between(proxy, tables):
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00")
    await tables.keep_frequency()
    await proxy.open()
    await proxy.close()
    async with application(proxy.dsn) as api:
        for _ in range(2):
            for question in QUESTIONS:
                unavailable(await api.get(question))
            assert (await api.get("/healthz")).status_code == 200
            await proxy.open()
            for question in QUESTIONS:
                assert (await api.get(question)).status_code == 200
            assert len((await api.get("/deploy-frequency/day")).json()) == 1
            await proxy.close()


async def test_cut_off_while_it_answers(proxy, tables):
    await proxy.open()
    async with application(proxy.dsn) as api:
        assert (await api.get("/readyz")).status_code == 200
        proxy.freeze()
        asking = asyncio.create_task(api.get("/v1/services"))
        await asyncio.sleep(0.2)
        await proxy.close()
        unavailable(await asking)
        await proxy.open()
        assert (await api.get("/v1/services")).status_code == 200


async def test_a_server_that_says_nothing_is_not_waited_for(proxy, monkeypatch):
    monkeypatch.setattr("query.database.CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr("query.database.ANSWER_TIMEOUT", 0.5)
    await proxy.open()
    async with application(proxy.dsn) as api:
        assert (await api.get("/readyz")).status_code == 200
        proxy.freeze()
        begun = time.monotonic()
        answers = await asyncio.gather(*(api.get("/readyz") for _ in range(30)))
        assert time.monotonic() - begun < 10
        for answer in answers:
            unavailable(answer)
        proxy.thaw()

        async def well() -> bool:
            return (await api.get("/readyz")).status_code == 200

        await eventually(well, 10)


async def test_tables_that_are_not_made_yet(infra):
    dsn = await create_database(infra.postgres)
    try:
        async with application(dsn) as api:
            assert "migrated" in unavailable(await api.get("/readyz"))["detail"]
    finally:
        await drop_database(infra.postgres, dsn)


async def test_a_database_that_does_not_exist(database):
    async with application(database.rpartition("/")[0] + "/nowhere") as api:
        problem = unavailable(await api.get("/readyz"))
        assert "nowhere" not in str(problem)


async def test_q2_a_question_that_takes_too_long_is_ended(database, tables, monkeypatch):
    monkeypatch.setitem(SESSION, "statement_timeout", "200")
    await tables.connection.execute("BEGIN; LOCK TABLE deployments IN ACCESS EXCLUSIVE MODE")
    async with application(database) as api:
        assert "too long" in unavailable(await api.get("/v1/deployments"))["detail"]
        await tables.connection.execute("ROLLBACK")
        assert (await api.get("/v1/deployments")).status_code == 200


async def test_more_callers_than_connections_are_served_or_told(database, tables):
    app = create_app(Settings(postgres=database, connections=2), Catalog.empty())
    async with client_of(app) as api:
        answers = await asyncio.gather(*(api.get("/v1/services") for _ in range(60)))
        assert {answer.status_code for answer in answers} == {200}
        found = await tables.connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'dora-query' AND datname = current_database()"
        )
        assert found <= 2


@pytest.fixture
async def reader(database) -> AsyncIterator[Database]:
    reader = Database(database, 1)
    await reader.open()
    yield reader
    await reader.close()


@pytest.mark.parametrize(
    "attempt",
    [
        "INSERT INTO deployment_frequency VALUES ('a', 'b', 'day', now(), 1, 1)",
        "DELETE FROM deployments",
        "CREATE TABLE mine (n int)",
        "SELECT setval(pg_get_serial_sequence('deadletters', 'deadletter_id'), 1)",
    ],
)
async def test_q6_a_connection_can_only_read(reader, attempt):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with reader.reading() as reading:
            await reading._connection.execute(attempt)


async def test_a_session_is_bounded(reader):
    async def shown(reading: Reading, name: str) -> str:
        return str(await reading._connection.fetchval(f"SHOW {name}"))

    async with reader.reading() as reading:
        assert await shown(reading, "statement_timeout") == "5s"
        assert await shown(reading, "default_transaction_read_only") == "on"
        assert await shown(reading, "transaction_isolation") == "repeatable read"
        assert await shown(reading, "application_name") == "dora-query"


async def test_a_reading_sees_one_moment(reader, tables):
    async with reader.reading() as reading:
        before = await reading.rows("known_services", 10)
        await tables.frequency("shop", "day", "2026-07-01T00:00:00+00:00", 1)
        assert await reading.rows("known_services", 10) == before == []
    async with reader.reading() as reading:
        assert [row["service"] for row in await reading.rows("known_services", 10)] == ["shop"]

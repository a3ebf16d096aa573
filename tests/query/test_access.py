"""Who may ask: keys and tokens, what they let their holders ask for, and what is said of wrong ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
import structlog
from pydantic import ValidationError

from access.keys import RIGHTS, new_key
from deploy.keys import create, listed, revoke
from query.app import create_app
from query.authentication import OPEN
from query.key_holders import MEMORY, KeyHolders
from query.observation import ENDLESS
from query.settings import Settings
from schemas.catalog import Catalog
from schemas.problems import MEDIA_TYPE
from tests.access.issuing import AUDIENCE, answering
from tests.query.client import client_of
from tests.query.conftest import NOW

NOWHERE = "postgresql://127.0.0.1:1/none"
PLACES = {"deadletter_id": "1", "bucket": "day"}


def routes(app) -> list[str]:
    """Every address that is described, with something in its places."""
    return [path.format(**PLACES) for path in app.openapi()["paths"]]


CLOSED = [
    path for path in routes(create_app(Settings(postgres=NOWHERE), Catalog.empty())) if path not in OPEN
]


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


@asynccontextmanager
async def application(dsn: str, **settings) -> AsyncIterator[httpx.AsyncClient]:
    settings = {"query_auth": "keys"} | settings
    app = create_app(Settings(postgres=dsn, **settings), Catalog.empty(), now=lambda: NOW)
    async with client_of(app) as client:
        yield client


def refused(answer: httpx.Response) -> dict:
    """The one answer to whoever proves nothing, without the id of the request."""
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["www-authenticate"] == 'Bearer realm="dora"'
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told.pop("trace_id")
    return told


async def key_of(dsn: str, **limits) -> str:
    limits = {"teams": [], "rights": RIGHTS, "expires": None} | limits
    text, _ = await create(dsn, f"key {await count(dsn)}", **limits)
    return text


async def count(dsn: str) -> int:
    return len(await listed(dsn))


@pytest.mark.connected
async def test_q3_whoever_proves_nothing_is_told_the_same_everywhere(database):
    """Without a key, with a wrong one, a revoked one, one that is over, and one in the URL."""
    revoked, over, good = [await key_of(database) for _ in range(3)]
    await revoke(database, revoked.split("_")[1])
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE key_id = $1", over.split("_")[1]
    )
    await connection.close()
    told = []
    async with application(database) as api:
        for path in (
            *CLOSED,
            "/nope",
            "/v1/stream",
            "/docs",
            "//v1/services",
            "/v1/services/",
            "/V1/services",
        ):
            answers = [
                await api.get(path),
                await api.get(path, headers=bearer(new_key()[1])),
                await api.get(path, headers=bearer(revoked)),
                await api.get(path, headers=bearer(over)),
                await api.get(f"{path}?key={good}"),
                await api.get(f"{path}?access_token={good}"),
                await api.get(f"{path}?service={good}", headers=bearer(good)),
                await api.get(f"{path}?service={good.replace('_', '%5F')}", headers=bearer(good)),
                await api.post(path, headers=bearer(revoked)),
            ]
            told += [refused(answer) for answer in answers]
            if path in CLOSED and path not in ENDLESS:
                assert (await api.get(path, headers=bearer(good))).status_code in {200, 404}
        told.append(refused(await api.get(f"/{good}", headers=bearer(good))))
    assert all(each == told[0] for each in told)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic ZG9yYTpkb3Jh"},
        {"Authorization": "dora_0123456789_" + "0" * 49},
        {"Authorization": "Bearer dora_0123456789_" + "0" * 49},
        {"Authorization": "Bearer dora_"},
        {"Authorization": "Bearer " + "x" * 20_000},
        {"Authorization": "Bearer " + "a.b.c"},
        {"Authorization": "Bearer ' OR 1=1 --"},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Authorization": "Bearer null"},
        {"X-API-Key": "dora_0123456789_" + "0" * 49},
        {"Cookie": "session=1"},
    ],
    ids=lambda headers: str(headers)[:60],
)
async def test_q3_what_cannot_be_a_key_is_refused_without_asking_postgres(headers):
    async with application(NOWHERE) as api:
        refused(await api.get("/v1/services", headers=headers))


@pytest.mark.connected
async def test_two_credentials_are_none(database):
    key = await key_of(database)
    async with application(database) as api:
        twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
        refused(await api.get("/v1/services", headers=twice))
        assert (await api.get("/v1/services", headers=bearer(key))).status_code == 200
        lower = {"authorization": f"bearer {key}"}
        assert (await api.get("/v1/services", headers=lower)).status_code == 200


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_probes_scrapers_and_the_description_need_no_key(path):
    async with application(NOWHERE) as api:
        assert (await api.get(path)).status_code == (503 if path == "/readyz" else 200)


@pytest.mark.connected
async def test_nothing_of_a_key_is_logged_and_its_use_is(database):
    key, wrong = await key_of(database), new_key()[1]
    with structlog.testing.capture_logs() as logs:
        async with application(database) as api:
            for _ in range(3):
                await api.get("/v1/services", headers=bearer(key))
            await api.get("/v1/services", headers=bearer(wrong))
            await api.get(f"/v1/services?key={key}")
            counted = (await api.get("/metrics")).text
    for each in (key, wrong):
        assert each.split("_")[2][:20] not in str(logs) + counted
    events = [(entry["event"], entry["key"]) for entry in logs]
    assert events == [
        ("key.used", key.split("_")[1]),
        ("key.refused", wrong.split("_")[1]),
        ("key.in_url", key.split("_")[1]),
    ]
    assert 'dora_query_unauthenticated_total{reason="key"} 1.0' in counted
    assert 'dora_query_unauthenticated_total{reason="url"} 1.0' in counted


@pytest.mark.connected
async def test_a_revoked_key_is_over_after_a_moment(database):
    key, elapsed = await key_of(database), 0.0
    app = create_app(Settings(postgres=database, query_auth="keys"), Catalog.empty())
    holders = KeyHolders(app.state.context.database, lambda: NOW, elapsed=lambda: elapsed)
    async with app.router.lifespan_context(app):
        caller = await holders.caller(key)
        await revoke(database, key.split("_")[1])
        elapsed = MEMORY - 0.1
        assert await holders.caller(key) is caller
        elapsed = MEMORY
        with pytest.raises(Exception, match=r"^key$"):
            await holders.caller(key)
    assert MEMORY <= 5


@pytest.mark.connected
async def test_a_key_that_ends_while_it_is_remembered_ends(database):
    key = await key_of(database, expires=timedelta(hours=1))
    clock = datetime.now(UTC)
    app = create_app(Settings(postgres=database, query_auth="keys"), Catalog.empty())
    holders = KeyHolders(app.state.context.database, lambda: clock)
    async with app.router.lifespan_context(app):
        await holders.caller(key)
        clock += timedelta(hours=2)
        with pytest.raises(Exception, match=r"^key$"):
            await holders.caller(key)


@pytest.mark.connected
async def test_a_flood_of_made_up_keys_leaves_connections_to_those_who_ask(database):
    key = await key_of(database)
    async with application(database, connections=4) as api:
        assert (await api.get("/v1/services", headers=bearer(key))).status_code == 200
        flood = [api.get("/v1/services", headers=bearer(new_key()[1])) for _ in range(200)]
        asked = [api.get("/v1/services", headers=bearer(key)) for _ in range(20)]
        answers = await asyncio.gather(*flood, *asked)
    assert {answer.status_code for answer in answers[:200]} == {401}
    assert {answer.status_code for answer in answers[200:]} == {200}


async def test_while_postgres_is_away_a_key_is_neither_right_nor_wrong():
    async with application(NOWHERE) as api:
        answer = await api.get("/v1/services", headers=bearer(new_key()[1]))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:dora:problem:unavailable"


# What comes next is about tokens, and about the one answer to all who may not.


@asynccontextmanager
async def trusting(dsn: str, issuer, **settings) -> AsyncIterator[httpx.AsyncClient]:
    told = {
        "query_auth": "keys,oidc",
        "query_oidc_issuer": issuer.url,
        "query_oidc_audience": AUDIENCE,
    } | settings
    async with application(dsn, **told) as api:
        yield api


@pytest.mark.connected
async def test_q4_a_token_of_the_issuer_lets_in_and_others_do_not(database):
    async with answering() as issuer, trusting(database, issuer) as api:
        good = await api.get("/v1/services", headers=bearer(issuer.token()))
        assert good.status_code == 200
        told = [
            refused(await api.get("/v1/services", headers=bearer(token)))
            for token in (
                issuer.token(aud="somebody-else"),
                issuer.token(iss="https://elsewhere.example.com"),
                issuer.token(exp=None),
                issuer.token(exp=1),
                issuer.token("RS256", 7),
                issuer.token() + "x",
                "eyJhbGciOiJub25lIn0.e30.",
                issuer.token(pad="x" * 1_000_000),
            )
        ]
        assert all(each == told[0] for each in told)
        assert (await api.get("/v1/services", headers=bearer(await key_of(database)))).status_code == 200


@pytest.mark.connected
async def test_q4_an_issuer_that_does_not_answer_is_503(database):
    async with answering() as issuer, trusting(database, issuer) as api:
        issuer.status = 500
        answer = await api.get("/v1/services", headers=bearer(issuer.token()))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:dora:problem:unavailable")
    assert issuer.url not in answer.text


@pytest.mark.connected
async def test_q5_no_role_and_a_wrong_setting_are_told_the_same(database):
    """A key without the right; a token whose claim is empty, of another shape, or missing."""
    metrics_only = await key_of(database, rights=["metrics"])
    async with answering() as issuer:
        async with trusting(database, issuer, query_oidc_teams_claim="groups") as api:
            answers = [
                await api.get("/v1/events", headers=bearer(metrics_only)),
                await api.get("/v1/deadletters", headers=bearer(metrics_only)),
                await api.get("/v1/deadletters/1", headers=bearer(metrics_only)),
                await api.get("/v1/events?source=a&id=b", headers=bearer(metrics_only)),
                await api.get("/v1/services", headers=bearer(issuer.token(groups=[]))),
                await api.get("/v1/services", headers=bearer(issuer.token(groups=None))),
                await api.get("/v1/services", headers=bearer(issuer.token(groups={"a": 1}))),
                await api.get("/v1/services", headers=bearer(issuer.token(groups=[1, ""]))),
            ]
            assert (await api.get("/v1/services", headers=bearer(metrics_only))).status_code == 200
            assert (
                await api.get("/v1/services", headers=bearer(issuer.token(groups="a")))
            ).status_code == 200
        async with trusting(database, issuer, query_oidc_teams_claim="misspelt") as api:
            answers.append(await api.get("/v1/services", headers=bearer(issuer.token(groups=["a"]))))
    bodies = []
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (403, MEDIA_TYPE)
        bodies.append({name: value for name, value in answer.json().items() if name != "trace_id"})
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["type"] == "urn:dora:problem:forbidden"


@pytest.mark.connected
async def test_a_key_for_events_alone_sees_no_metrics(database):
    key = await key_of(database, rights=["events"])
    async with application(database) as api:
        for path in CLOSED:
            let_in = path.startswith(("/v1/events", "/v1/deadletters", *ENDLESS))
            wanted = {200, 404, 422} if let_in else 403
            # What would go on without end is refused for its parameter, once its right is checked.
            asked = f"{path}?unknown=1" if path in ENDLESS else path
            found = (await api.get(asked, headers=bearer(key))).status_code
            assert found == wanted or (isinstance(wanted, set) and found in wanted), path


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104
        "::",
        "10.0.0.5",
        "dora.example.com",
        "127.0.0.1.example.com",
    ],
)
def test_it_does_not_start_open_where_others_reach_it(host):
    with pytest.raises(ValidationError, match=r"DORA_QUERY_AUTH=keys.*dora keys create.*DORA_OPEN=true"):
        Settings(postgres=NOWHERE, host=host)
    assert Settings(postgres=NOWHERE, host=host, open=True).methods == frozenset()
    # Whoever asks for authentication gets it, whatever else is said.
    assert Settings(postgres=NOWHERE, host=host, open=True, query_auth="keys").methods == {"keys"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_this_machine_it_starts_open_unless_it_is_said_otherwise(host):
    assert Settings(postgres=NOWHERE, host=host).methods == frozenset()
    # Behind a proxy on the same machine it cannot know that others reach it.
    with pytest.raises(ValidationError, match=r"DORA_QUERY_AUTH=keys"):
        Settings(postgres=NOWHERE, host=host, open=False)
    assert Settings(postgres=NOWHERE, host=host, open=False, query_auth="keys").methods == {"keys"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"query_auth": "key"}, "give keys, oidc"),
        ({"query_auth": "none"}, "give keys, oidc"),
        ({"query_auth": "oidc"}, "DORA_QUERY_OIDC_ISSUER and DORA_QUERY_OIDC_AUDIENCE"),
        (
            {"query_auth": "oidc", "query_oidc_issuer": "https://login.example.com"},
            "DORA_QUERY_OIDC_AUDIENCE",
        ),
        (
            {
                "query_auth": "oidc",
                "query_oidc_issuer": "http://login.example.com",
                "query_oidc_audience": "d",
            },
            "https",
        ),
        (
            {"query_auth": "keys,oidc", "query_oidc_issuer": "login", "query_oidc_audience": "d"},
            "DORA_QUERY_OIDC_ISSUER",
        ),
        ({"query_oidc_all_teams": "admins"}, "DORA_QUERY_OIDC_TEAMS_CLAIM"),
    ],
)
def test_q4_a_setting_that_cannot_be_meant_stops_the_start(settings, told):
    with pytest.raises(ValidationError, match=told):
        Settings(postgres=NOWHERE, **settings)


def test_the_description_says_how_to_prove_oneself_and_what_is_refused():
    app = create_app(
        Settings(
            postgres=NOWHERE,
            query_auth="keys,oidc",
            query_oidc_issuer="https://l.example.com",
            query_oidc_audience="d",
        ),
        Catalog.empty(),
    )
    document = app.openapi()
    assert document["components"]["securitySchemes"].keys() == {"keys", "oidc"}
    for path, item in document["paths"].items():
        if path in OPEN:
            assert "security" not in item["get"]
            continue
        assert item["get"]["security"] == [{"keys": []}, {"oidc": []}]
        for status in ("401", "403", "503"):
            assert list(item["get"]["responses"][status]["content"]) == [MEDIA_TYPE], (path, status)
    assert app.openapi() is document


def test_an_open_application_asks_for_nothing():
    document = create_app(Settings(postgres=NOWHERE), Catalog.empty()).openapi()
    assert "securitySchemes" not in document["components"]
    assert "401" not in document["paths"]["/v1/services"]["get"]["responses"]

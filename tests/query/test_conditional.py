"""Answers that have not changed are not sent again, and nobody between keeps them."""

import httpx
import pytest

from query.app import create_app
from query.settings import Settings
from schemas.catalog import Catalog
from tests.query.client import client_of

pytestmark = pytest.mark.connected
ADDRESSES = [
    "/deploy-frequency/day",
    "/v1/metrics",
    "/v1/metrics/deployment-frequency?from=2026-07-01T00:00:00Z&to=2026-07-08T00:00:00Z",
    "/v1/services",
    "/v1/deployments",
    "/v1/changes",
    "/v1/incidents",
    "/v1/events",
    "/v1/events?source=/cluster&id=e1",
    "/v1/deadletters",
    "/v1/deadletters/1",
]


@pytest.fixture
async def filled(tables) -> None:
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00")
    await tables.keep_frequency()
    await tables.event("e1")
    await tables.deadletter()


async def known(api: httpx.AsyncClient, address: str, *tags: str) -> httpx.Response:
    return await api.get(address, headers=[("If-None-Match", tag) for tag in tags])


async def test_q8_an_answer_that_is_known_is_not_sent_again(api, filled, database):
    other = create_app(Settings(postgres=database), Catalog.empty())
    for address in ADDRESSES:
        answer = await api.get(address)
        tag = answer.headers["etag"]
        assert answer.status_code == 200
        assert tag.startswith('"')
        for tags in ([tag], [f"W/{tag}"], ["*"], [f'"other", {tag}'], ['"other"', tag]):
            same = await known(api, address, *tags)
            assert (same.status_code, same.content) == (304, b""), address
            for name in ("etag", "cache-control", "vary"):
                assert same.headers[name] == answer.headers[name]
            assert "content-type" not in same.headers
        again = await known(api, address, '"other"', tag[1:-1], tag[:-2] + '"')
        assert (again.status_code, again.content) == (200, answer.content)
    # Whichever process answers, so that a load balancer makes no difference.
    async with client_of(other) as elsewhere:
        assert (await elsewhere.get("/v1/deployments")).headers["etag"] == (
            await api.get("/v1/deployments")
        ).headers["etag"]


async def test_q8_an_answer_that_changed_is_sent(api, filled, tables):
    tag = (await api.get("/v1/deployments")).headers["etag"]
    await tables.deployment("shop", "2026-07-02T08:00:00+00:00")
    answer = await known(api, "/v1/deployments", tag)
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 2
    assert answer.headers["etag"] != tag


async def test_what_goes_wrong_is_never_the_same_as_before(api, filled):
    for address, status in (("/v1/events?source=a&id=b", 404), ("/v1/events?x=1", 422), ("/nope", 404)):
        answer = await known(api, address, "*")
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_nobody_between_keeps_an_answer(api, filled):
    for address in (*ADDRESSES, "/"):
        headers = (await api.get(address)).headers
        assert headers["cache-control"] == "private, no-cache"
        assert "Authorization" in headers["vary"].split(", ")

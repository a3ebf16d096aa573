"""Services, deployments and dead letters: filters, order, pages that hold still while rows come."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from schemas.catalog import Catalog

pytestmark = pytest.mark.connected

JULY = datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse(
        """
        services:
          shop: {team: storefront, deployments_from: kubernetes}
          "search-*": {team: storefront}
        production: [production]
        """
    )


async def items(api, path: str, **parameters) -> list[dict]:
    parameters = {name.rstrip("_"): value for name, value in parameters.items()}
    answer = await api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"items", "next"}
    return answer.json()["items"]


async def ids(api, **parameters) -> list[str]:
    return [item["deploy_id"] for item in await items(api, "/v1/deployments", **parameters)]


async def walk(api, path: str, key: str) -> list:
    """All pages, one after the other."""
    found = []
    while path:
        answer = await api.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item[key] for item in page["items"]]
        path = page["next"]
    return found


async def test_a_deployment_is_told_whole(api, tables):
    await tables.deployment(
        "shop",
        "2026-07-01T10:00:00.123456+02:00",
        deploy_id="github:1",
        repository="acme/shop",
        commit="4bf92f3",
        artifact="pkg:oci/shop@sha256:1",
        basis="status",
        cd_source="/a b",
        cd_id="x&y",
    )
    (told,) = await items(api, "/v1/deployments")
    assert told == {
        "deploy_id": "github:1",
        "time_created": "2026-07-01T08:00:00.123456Z",
        "deploy_name": "shop",
        "service": "shop",
        "environment": "production",
        "repository": "acme/shop",
        "commit": "4bf92f3",
        "artifact": "pkg:oci/shop@sha256:1",
        "channel": "kubernetes",
        "kind": "deployed",
        "outcome": "success",
        "counted": True,
        "counted_reason": "deployed",
        "basis": "status",
        "decided_at": "2026-07-01T08:00:00.123456Z",
        "failure_rule": None,
        "failure_cause": None,
        "recovered_at": None,
        "rework_rule": None,
        "event": "/v1/events?source=%2Fa+b&id=x%26y",
    }


async def test_deployments_are_filtered_and_the_latest_come_first(api, tables):
    facts = [
        ("shop", "production", "deployed", "success", True),
        ("shop", "staging", "upgraded", "success", True),
        ("cart", "production", "failed", "failure", False),
        ("search-web", "production", "rolledback", "success", False),
        ("cart", "staging", "withdrawn", "withdrawn", False),
    ]
    for hour, (service, environment, kind, outcome, counted) in enumerate(facts):
        await tables.deployment(
            service,
            JULY + timedelta(hours=hour),
            environment,
            deploy_id=str(hour),
            kind=kind,
            outcome=outcome,
            counted=counted,
        )
    assert await ids(api) == ["4", "3", "2", "1", "0"]
    assert await ids(api, service="shop") == ["1", "0"]
    assert await ids(api, environment="staging") == ["4", "1"]
    assert await ids(api, environment=["staging", "production"]) == ["4", "3", "2", "1", "0"]
    assert await ids(api, team="storefront") == ["1", "0"]  # what is known, is known by its numbers
    await tables.keep_frequency()
    await tables.frequency("search-web", "day", JULY.replace(hour=0), 1)
    assert await ids(api, team="storefront") == ["3", "1", "0"]
    assert await ids(api, counted="true") == ["1", "0"]
    assert await ids(api, counted="false") == ["4", "3", "2"]
    assert await ids(api, kind="failed") == ["2"]
    assert await ids(api, outcome="success") == ["3", "1", "0"]
    assert await ids(api, from_="2026-07-01T09:00:00Z", to="2026-07-01T11:00:00Z") == ["2", "1"]
    assert await ids(api, service="shop", environment="production", counted="false") == []
    assert await ids(api, service="nobody") == []


async def test_q8_pages_hold_still_while_rows_come_and_go(api, tables):
    for number in range(20):  # pairs share their instant: the id decides
        await tables.deployment("shop", JULY + timedelta(hours=number // 2), deploy_id=f"d{number:02}")
    expected = [f"d{number:02}" for number in reversed(range(20))]
    for limit in (1, 3, 7, 20, 500):
        assert await walk(api, f"/v1/deployments?limit={limit}", "deploy_id") == expected
    page = (await api.get("/v1/deployments?service=shop&limit=5")).json()
    seen = [item["deploy_id"] for item in page["items"]]
    await tables.deployment("shop", JULY + timedelta(days=9), deploy_id="newer")
    await tables.deployment("shop", JULY - timedelta(days=9), deploy_id="older")
    await tables.connection.execute("DELETE FROM deployments WHERE deploy_id IN ('d15', 'd19', 'd10')")
    seen += await walk(api, page["next"], "deploy_id")
    assert seen == [each for each in expected if each != "d10"] + ["older"]


async def test_q8_a_cursor_belongs_to_its_filters(api, tables):
    for number in range(3):
        await tables.deployment("shop", JULY, deploy_id=f"d{number}")
    following = (await api.get("/v1/deployments?service=shop&limit=1")).json()["next"]
    assert (await api.get(following)).status_code == 200
    assert (await api.get(following.replace("limit=1", "limit=2"))).status_code == 200
    for changed in (
        following.replace("shop", "cart"),
        following + "A",
        following[:-2],
        following + "&kind=failed",
    ):
        answer = await api.get(changed)
        assert answer.status_code == 422
        assert [error["parameter"] for error in answer.json()["errors"]] == ["cursor"]
    cursor = following.rpartition("cursor=")[2]
    assert (await api.get(f"/v1/services?cursor={cursor}")).status_code == 422


async def test_long_and_odd_ids_make_usable_pages(api, tables):
    names = ["a" * 2600, "ünï/코드 &=?#", "'; --", '"', "\\"]
    for name in names:
        await tables.deployment("shop", JULY, deploy_id=name)
    assert sorted(await walk(api, "/v1/deployments?limit=1", "deploy_id")) == sorted(names)


async def test_services_with_their_environments(api, tables):
    await tables.deployment("shop", JULY)
    await tables.deployment("shop", JULY + timedelta(hours=1))
    await tables.deployment("shop", JULY + timedelta(hours=2), counted=False)
    await tables.deployment("shop", JULY, "staging", counted=False)
    await tables.deployment("cart", JULY)
    assert await items(api, "/v1/services") == [
        {
            "service": "cart",
            "team": None,
            "deployments_from": None,
            "environments": [
                {"environment": "production", "production": True, "last_deployment": "2026-07-01T08:00:00Z"}
            ],
        },
        {
            "service": "shop",
            "team": "storefront",
            "deployments_from": "kubernetes",
            "environments": [
                {"environment": "production", "production": True, "last_deployment": "2026-07-01T09:00:00Z"},
                {"environment": "staging", "production": False, "last_deployment": None},
            ],
        },
    ]
    assert [item["service"] for item in await items(api, "/v1/services", environment="staging")] == ["shop"]
    assert [item["service"] for item in await items(api, "/v1/services", team="storefront")] == ["shop"]
    assert await items(api, "/v1/services", team="nobody") == []


async def test_pages_of_services(api, tables):
    for name in ("e", "a", "d", "c", "b"):
        await tables.deployment(name, JULY)
        await tables.deployment(name, JULY, "staging")
    for limit in (1, 2, 4, 5, 6):
        assert await walk(api, f"/v1/services?limit={limit}", "service") == list("abcde")
    page = (await api.get("/v1/services?limit=2")).json()
    await tables.deployment("aa", JULY)
    await tables.deployment("bb", JULY)
    assert await walk(api, page["next"], "service") == ["bb", "c", "d", "e"]


async def test_dead_letters_show_their_bytes_one_at_a_time(api, tables):
    await tables.deadletter(stage="read", reason="no attribute 'id'", key=b"\x00k")
    await tables.deadletter(stage="transform", state="redriven", value=None, source="/s", id="1", type="t")
    await tables.deadletter(stage="read", state="dropped")
    listed = await items(api, "/v1/deadletters")
    assert [item["stage"] for item in listed] == ["read", "transform", "read"]
    assert all("value" not in name and "key" not in name for item in listed for name in item)
    assert [item["state"] for item in await items(api, "/v1/deadletters", stage="read")] == [
        "dropped",
        "open",
    ]
    assert [item["stage"] for item in await items(api, "/v1/deadletters", state="redriven")] == ["transform"]
    whole = (await api.get(listed[2]["url"])).json()
    assert whole == listed[2] | {
        "key_base64": base64.b64encode(b"\x00k").decode(),
        "key_text": "\x00k",
        "value_text": None,
        "value_base64": base64.b64encode(b"\xff\x00garbage").decode(),
        "headers": [["content-type", "dGV4dC9wbGFpbg=="], ["empty", None]],
    }
    assert whole["origin_topic"] == "cloudevents"
    assert [item["reason"] for item in await items(api, "/v1/deadletters", reason="ATTRIBUTE 'ID'")][:1] == [
        "no attribute 'id'"
    ]
    assert await items(api, "/v1/deadletters", reason="%") == []
    assert await items(api, "/v1/deadletters", since="2200-01-01T00:00:00Z") == []
    assert len(await items(api, "/v1/deadletters", since="2000-01-01T00:00:00Z")) == 3
    whole = (await api.get(listed[1]["url"])).json()
    assert (whole["key_base64"], whole["value_base64"]) == (None, None)
    answer = await api.get("/v1/deadletters/999")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.get(f"/v1/deadletters/{2**63 - 1}")).status_code == 404


async def test_pages_of_dead_letters(api, tables):
    for _ in range(5):
        await tables.deadletter()
    numbers = await walk(api, "/v1/deadletters?limit=2&state=open", "deadletter_id")
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 5

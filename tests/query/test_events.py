"""``/v1/events``: from the event that came in to the number it counts in, and back."""

import base64
import json

import pytest

pytestmark = pytest.mark.connected


async def one(api, source: str, identity: str) -> dict:
    answer = await api.get("/v1/events", params={"source": source, "id": identity})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def fill(tables) -> None:
    await tables.event("e1", body=b'{"kind": "Deployment"}', rule="rollout", reason=None)
    await tables.cdevent(
        "c1", "e1", {"context": {"id": "c1"}, "customData": {"dora": {"deploy_id": "uid:1"}}}
    )
    await tables.cdevent("c2", "e1", {"context": {"id": "c2"}})
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00", deploy_id="uid:1", cd_id="c1")
    await tables.deployment("shop", "2026-07-01T09:00:00+00:00")
    await tables.keep_frequency()


async def test_from_the_event_to_the_number(api, tables):
    await fill(tables)
    told = await one(api, "/cluster", "e1")
    assert (told["source"], told["id"], told["kind"], told["fate"]) == (
        "/cluster",
        "e1",
        "cloudevent",
        "mapped",
    )
    event = told["cloudevent"]
    assert event["attributes"] == {"specversion": "1.0", "source": "/cluster", "id": "e1"}
    assert (event["body"], event["body_encoding"]) == ('{"kind": "Deployment"}', "text")
    assert (event["topic"], event["partition"], event["rule"]) == ("cloudevents", 3, "rollout")
    assert [each["id"] for each in told["cdevents"]] == ["c1", "c2"]
    (deployment,) = told["cdevents"][0]["deployments"]
    assert (deployment["deploy_id"], deployment["decided_by_this"]) == ("uid:1", True)
    assert told["cdevents"][1]["deployments"] == []
    counts_in = deployment["counts_in"]
    assert (counts_in["bucket"], counts_in["start"], counts_in["deployments"]) == (
        "day",
        "2026-07-01T00:00:00Z",
        2,
    )
    (row,) = (await api.get(counts_in["url"])).json()
    assert row == {"DeployName": "shop", "Deployments": 2, "Time": "2026-07-01T00:00:00Z"}


async def test_from_the_cdevent_back_to_its_cause(api, tables):
    await fill(tables)
    told = await one(api, "/cluster", "c1")
    assert (told["kind"], told["type"]) == ("cdevent", "dev.cdevents.service.deployed.0.3.0")
    assert told["cloudevent"]["id"] == "e1"
    assert [each["id"] for each in told["cdevents"]] == ["c1"]
    assert told["cdevents"][0]["content"]["context"] == {"id": "c1"}
    assert (await api.get(told["cloudevent"]["url"])).json()["cdevents"][0]["url"] == told["cdevents"][0][
        "url"
    ]


async def test_from_the_deployment_back_to_its_event(api, tables):
    await fill(tables)
    listed = (await api.get("/v1/deployments")).json()["items"]
    told = (await api.get(listed[1]["event"])).json()
    assert told["cloudevent"]["id"] == "e1"


async def test_the_day_is_that_of_the_configured_zone(api, tables):
    await tables.set_zone("Asia/Tokyo")
    await tables.event("e1")
    await tables.cdevent("c1", "e1")
    await tables.deployment("shop", "2026-07-01T16:00:00+00:00", cd_id="c1")
    await tables.keep_frequency("Asia/Tokyo")
    (deployment,) = (await one(api, "/cluster", "e1"))["cdevents"][0]["deployments"]
    assert deployment["counts_in"]["start"] == "2026-07-02T00:00:00+09:00"
    assert deployment["counts_in"]["deployments"] == 1
    assert len((await api.get(deployment["counts_in"]["url"])).json()) == 1


async def test_another_report_of_the_same_deployment_leads_to_it_too(api, tables):
    await fill(tables)
    await tables.event("e2")
    await tables.cdevent("c9", "e2", {"customData": {"dora": {"deploy_id": "uid:1"}}})
    (deployment,) = (await one(api, "/cluster", "e2"))["cdevents"][0]["deployments"]
    assert (deployment["deploy_id"], deployment["decided_by_this"]) == ("uid:1", False)


async def test_what_does_not_count_counts_in_nothing(api, tables):
    await tables.event("e1")
    await tables.cdevent("c1", "e1")
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00", cd_id="c1", counted=False, kind="failed")
    (deployment,) = (await one(api, "/cluster", "e1"))["cdevents"][0]["deployments"]
    assert deployment["counts_in"] is None


async def test_what_the_stream_has_not_counted_yet_has_no_number(api, tables):
    await tables.event("e1")
    await tables.cdevent("c1", "e1")
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00", cd_id="c1")
    (deployment,) = (await one(api, "/cluster", "e1"))["cdevents"][0]["deployments"]
    assert deployment["counts_in"]["deployments"] is None


async def test_a_native_cdevent_is_its_own_cause(api, tables):
    await tables.event("n1", type="dev.cdevents.service.deployed.0.3.0")
    await tables.cdevent("n1", "n1")
    told = await one(api, "/cluster", "n1")
    assert (told["kind"], told["cloudevent"]["id"], [each["id"] for each in told["cdevents"]]) == (
        "cloudevent",
        "n1",
        ["n1"],
    )


async def test_a_cdevent_whose_cause_is_gone(api, tables):
    await tables.cdevent("c1", "gone")
    told = await one(api, "/cluster", "c1")
    assert (told["cloudevent"], told["fate"]) == (None, None)


@pytest.mark.parametrize("fate", ["ignored", "unmapped", "dead"])
async def test_fate_and_reason(api, tables, fate):
    await tables.event("e1", fate=fate, reason="deployment is in_progress")
    told = await one(api, "/cluster", "e1")
    assert (told["fate"], told["reason"], told["cdevents"]) == (fate, "deployment is in_progress", [])


async def test_bodies_of_every_kind(api, tables):
    big = b'{"n": 123456789012345678901234567890, "n": 1.10}'
    bodies = {
        "none": None,
        "empty": b"",
        "json": big,
        "text": "grüße\n\x00".encode(),
        "binary": b"\xff\xfe\x00",
    }
    for identity, body in bodies.items():
        await tables.event(identity, body=body)
    expected = {
        "none": (None, None),
        "empty": ("", "text"),
        "json": (big.decode(), "text"),
        "text": ("grüße\n\x00", "text"),
        "binary": (base64.b64encode(b"\xff\xfe\x00").decode(), "base64"),
    }
    for identity, told in expected.items():
        event = (await one(api, "/cluster", identity))["cloudevent"]
        assert (event["body"], event["body_encoding"]) == told


async def test_content_is_told_as_it_is_stored(api, tables):
    text = (
        '{"context": {"id": "c1"}, "n": 123456789012345678901234567890, "s": "\\u0000", "customData": null}'
    )
    await tables.event("e1")
    await tables.cdevent("c1", "e1", content=text)
    answer = await api.get("/v1/events", params={"source": "/cluster", "id": "e1"})
    assert text in answer.text


@pytest.mark.parametrize(
    "content",
    ['{"customData": []}', '{"customData": {"dora": 1}}', '{"customData": {"dora": {"deploy_id": 7}}}'],
)
async def test_custom_data_of_any_shape_is_no_trouble(api, tables, content):
    await tables.event("e1")
    await tables.cdevent("c1", "e1", content=content)
    assert (await one(api, "/cluster", "e1"))["cdevents"][0]["content"] == json.loads(content)


async def test_dead_letters_of_the_event_are_told_with_it(api, tables):
    await tables.event("e1")
    await tables.deadletter(source="/cluster", id="e1", reason="conflict")
    await tables.deadletter(source="/other", id="e1")
    (dead,) = (await one(api, "/cluster", "e1"))["deadletters"]
    assert dead["reason"] == "conflict"
    assert (await api.get(dead["url"])).status_code == 200


async def test_what_is_not_recorded_is_404(api, tables):
    await tables.event("e1")
    for source, identity in (("/cluster", "e2"), ("/other", "e1"), ("'; --", "$1"), ("%", "_")):
        answer = await api.get("/v1/events", params={"source": source, "id": identity})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_latest_events_by_fate_and_type(api, tables):
    for number, fate in enumerate(("mapped", "ignored", "mapped", "dead", "unmapped")):
        await tables.event(f"e{number}", fate=fate, type=f"t{number % 2}")

    async def ids(query: str) -> list[str]:
        answer = await api.get(f"/v1/events{query}")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids("") == ["e4", "e3", "e2", "e1", "e0"]
    assert await ids("?fate=mapped") == ["e2", "e0"]
    assert await ids("?type=t1") == ["e3", "e1"]
    assert await ids("?type=t1&fate=dead") == ["e3"]
    page = (await api.get("/v1/events?limit=2")).json()
    assert "body" not in page["items"][0]
    await tables.event("newer")
    following = (await api.get(page["next"])).json()
    assert [item["id"] for item in following["items"]] == ["e2", "e1"]
    last = (await api.get(following["next"])).json()
    assert ([item["id"] for item in last["items"]], last["next"]) == (["e0"], None)
    told = (await api.get(page["items"][0]["url"])).json()
    assert told["id"] == "e4"

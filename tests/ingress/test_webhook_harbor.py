"""Harbor's web hooks: what is authentic, and the CloudEvent that each of its formats becomes."""

import hashlib
import json
from typing import Any

import pytest

from ingress.webhooks.harbor import TYPES, provider
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import InvalidCloudEvent
from tests.sources.payloads import ROOT

NOW = 1_767_225_600.0
SECRET = b"correct horse"
PUSH = ROOT / "harbor" / "PUSH_ARTIFACT" / "zulip-push_image.json"


def request(body: bytes = b"{}", **headers: str) -> WebhookRequest:
    return WebhookRequest({name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def test_a8_the_auth_header_of_a_policy_is_a_bearer_token_and_one_of_two_while_it_is_replaced():
    for told in ("Bearer correct horse", "Bearer new"):
        provider.authenticate(request(authorization=told), [b"new", SECRET])


@pytest.mark.parametrize("told", ["", "correct horse", "Bearer wrong", "Bearer correct horse ", "Secret new"])
def test_a6_anything_else_is_refused(told: str):
    with pytest.raises(Unauthenticated):
        provider.authenticate(request(authorization=told), [b"new", SECRET])


@pytest.mark.parametrize("secrets", [[], [b""], [b"\n"]])
def test_a4_without_a_secret_nobody_is_let_in(secrets: list[bytes]):
    for told in ("Bearer ", "Bearer", "Bearer \n"):
        with pytest.raises(Unauthenticated):
            provider.authenticate(request(authorization=told), secrets)


def test_the_default_format_becomes_what_the_format_cloudevents_would_have_said():
    body = PUSH.read_bytes()
    event = provider.translate(request(body, content_type="application/json"))
    assert event.body == body
    assert dict(event.attributes) == {
        "specversion": "1.0",
        "id": hashlib.sha256(body).hexdigest(),  # there is none; sent again unchanged it is the same event
        "source": "//harbor.example.com",
        "type": "harbor.artifact.pushed",
        "subject": "example/test",
        "time": "2019-10-17T17:50:32Z",  # occur_at
        "datacontenttype": "application/json",
    }


def test_its_cloudevents_are_taken_as_they_are():
    body = (ROOT / "harbor" / "cloudevents" / "harbor-artifact.pulled.structured.json").read_bytes()
    event = provider.translate(request(body, content_type="application/cloudevents+json"))
    assert (event.id, event.type) == ("4b2f89a6-548d-4c12-9993-a1f5790b97d2", "harbor.artifact.pulled")
    assert event.data == json.loads(body)["data"]


def test_its_cdevents_are_taken_as_they_are():
    body = (
        ROOT / "harbor" / "cdevents-native-0.3" / "harbor-artifact.published.structured.json"
    ).read_bytes()
    event = provider.translate(request(body, content_type="application/cloudevents+json; charset=utf-8"))
    assert event.type == "dev.cdevents.artifact.published.0.1.1"


def translated(told: Any) -> dict[str, Any]:
    event = provider.translate(request(json.dumps(told).encode()))
    check(dict(event.attributes))
    return dict(event.attributes)


@pytest.mark.parametrize(("word", "happened"), [*TYPES.items(), ("ROBOT_EXPIRED", "robot_expired")])
def test_every_event_of_the_default_format_has_a_type(word: str, happened: str):
    assert translated({"type": word, "occur_at": 1571334632})["type"] == f"harbor.{happened}"


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ({"resources": [{"resource_url": "hb.example.com:8443/a/b:1"}]}, "//hb.example.com:8443"),
        ({"resources": [{"resource_url": "/a/b:1"}]}, "/harbor"),
        ({"resources": [{"resource_url": "a b/c"}]}, "/harbor"),
        ({"resources": [{"resource_url": 7}]}, "/harbor"),
        ({"resources": [7]}, "/harbor"),
        ({"resources": []}, "/harbor"),
        ({"resources": {}}, "/harbor"),
        (None, "/harbor"),
    ],
)
def test_the_source_is_the_registry_if_a_resource_names_it(data: Any, source: str):
    assert translated({"type": "PUSH_ARTIFACT", "event_data": data})["source"] == source


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"type": 7}', b'{"type": "a b"}', b'{"type": ""}']
)
def test_what_is_no_event_of_harbor_is_no_event(body: bytes):
    with pytest.raises(InvalidCloudEvent):
        provider.translate(request(body))

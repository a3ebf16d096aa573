"""The web hooks of pagers: PagerDuty's signatures, and the CloudEvents that deliveries become."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from ingress.providers import Webhook, find_providers
from ingress.secrets import FixedSecrets
from ingress.webhooks import alertmanager, kubewatch, opsgenie, pagerduty
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from tests.ingress.recording import running
from tests.sources.payloads import payloads

NOW = 1_767_225_600.0
RECEIVED = "2026-01-01T00:00:00Z"
SECRET = b"pd-secret"
RECORDED = {payload.path: payload.body for payload in payloads()}
TRIGGERED = RECORDED["pagerduty-v3/incident.triggered/zulip-triggered_v3.json"]
RESOLVED = RECORDED["alertmanager/resolved/zulip-single_alert.json"]
CLOSED = RECORDED["opsgenie/Close/zulip-close.json"]

# Computed by `printf '{"event":1}' | openssl dgst -sha256 -hmac pd-secret`.
VECTOR = b'{"event":1}'
VECTOR_SIGNATURE = "v1=da9350b896dbcd2f9ebb58dbab7cd40c6718724d6e1aaa01a353410ef95dcc45"


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return f"v1={hmac.digest(secret, body, hashlib.sha256).hex()}"


def signed(told: str | None, body: bytes = TRIGGERED) -> WebhookRequest:
    return WebhookRequest({} if told is None else {"x-pagerduty-signature": told}, body, NOW)


def reason(told: str | None, *secrets: bytes, body: bytes = TRIGGERED) -> str:
    with pytest.raises(Unauthenticated) as refused:
        pagerduty.provider.authenticate(signed(told, body), secrets or (SECRET,))
    return refused.value.reason


OTHER = signature(TRIGGERED, b"another")
RIGHT = signature(TRIGGERED)


def test_pagerduty_signs_as_openssl_does():
    pagerduty.provider.authenticate(signed(VECTOR_SIGNATURE, VECTOR), [SECRET])


@pytest.mark.parametrize(
    "told",
    [RIGHT, f"{OTHER},{RIGHT}", f"{RIGHT},{OTHER}", f"{OTHER}, {RIGHT}", f"v2=beef,{RIGHT}", f"{RIGHT},"],
)
def test_pagerduty_is_believed_when_one_signature_is_right(told: str):
    pagerduty.provider.authenticate(signed(told), [SECRET])


def test_a8_pagerduty_may_sign_with_either_secret_while_one_is_replaced():
    for secret in (b"old", b"new"):
        pagerduty.provider.authenticate(signed(signature(TRIGGERED, secret)), [b"old", b"new"])
    assert reason(signature(TRIGGERED, b"old"), b"new") == "mismatch"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "missing"),
        ("", "missing"),
        ("v1=", "malformed"),
        (RIGHT.upper(), "malformed"),
        (RIGHT.replace("v1=", "v1=" + "A"), "malformed"),
        (RIGHT[:-1], "malformed"),
        (RIGHT + "0", "malformed"),
        (RIGHT.removeprefix("v1="), "malformed"),
        (RIGHT.replace("v1=", "v2="), "malformed"),
        (RIGHT.replace("v1=", "sha256="), "malformed"),
        ("v1=" + "é" * 64, "malformed"),
        ("v1=" + "\N{ARABIC-INDIC DIGIT ZERO}" * 64, "malformed"),
        ("x" * 1_000_000, "malformed"),
        (",".join([OTHER] * 10_000), "malformed"),
        (",".join([*[OTHER] * 10, RIGHT]), "malformed"),
        (OTHER, "mismatch"),
        ("v1=" + "0" * 64, "mismatch"),
    ],
)
def test_a2_pagerduty_is_not_believed_otherwise(told: str | None, why: str):
    assert reason(told) == why


@pytest.mark.parametrize(
    "body",
    [
        TRIGGERED + b"\n",
        TRIGGERED[:-1],
        TRIGGERED.replace(b"high", b"hifh"),
        json.dumps(json.loads(TRIGGERED)).encode(),
    ],
    ids=["newline", "shorter", "one byte", "written again"],
)
def test_a3_the_very_bytes_are_signed(body: bytes):
    assert body != TRIGGERED
    assert reason(RIGHT, body=body) == "mismatch"


@pytest.mark.parametrize("empty", [b"", b" "])
def test_a4_an_empty_secret_signs_nothing(empty: bytes):
    assert reason(signature(TRIGGERED, empty), empty) == "mismatch"


def attributes(provider: Any, body: bytes, **headers: str) -> dict[str, Any]:
    event = provider.translate(WebhookRequest(headers, body, NOW))
    check(dict(event.attributes))
    assert event.body == body
    return dict(event.attributes)


def test_a_pagerduty_event_keeps_its_own_id_account_and_time():
    assert attributes(pagerduty.provider, TRIGGERED) == {
        "specversion": "1.0",
        "id": "01BZYIL05THJDFF2Y08X9SVMTU",
        "source": "https://pig208.pagerduty.com",
        "type": "com.pagerduty.incident.triggered",
        "subject": "PFQZPSY",
        "time": "2021-06-04T13:35:29.781Z",
        "datacontenttype": "application/json",
    }


def test_an_alertmanager_notification_is_identified_by_what_it_says():
    assert attributes(alertmanager.provider, RESOLVED) == {
        "specversion": "1.0",
        "id": hashlib.sha256(RESOLVED).hexdigest(),
        "source": "http://ops1:9093",
        "type": "io.prometheus.alertmanager.resolved",
        "subject": "{}/{}:{}",
        "time": RECEIVED,
        "datacontenttype": "application/json",
    }


def test_an_opsgenie_action_is_identified_by_what_it_says():
    assert attributes(opsgenie.provider, CLOSED) == {
        "specversion": "1.0",
        "id": hashlib.sha256(CLOSED).hexdigest(),
        "source": "/opsgenie/37c8f316-17c6-49d7-899b-9c7e540c048d",
        "type": "com.opsgenie.alert.close",
        "subject": "052652ac-5d1c-464a-812a-7dd18bbfba8c",
        "time": "2015-01-05T10:06:14.669001603Z",
        "datacontenttype": "application/json",
    }


@pytest.mark.parametrize(
    ("module", "body"), [(pagerduty, TRIGGERED), (alertmanager, RESOLVED), (opsgenie, CLOSED)]
)
def test_a_delivery_that_is_repeated_is_the_same_event(module: Any, body: bytes):
    first, again = (module.provider.translate(WebhookRequest({}, body, NOW + late)) for late in (0.0, 3600.0))
    assert (first.source, first.id, first.body) == (again.source, again.id, again.body)


@pytest.mark.parametrize(
    ("module", "body", "type_"),
    [
        (pagerduty, b"{}", "com.pagerduty.unknown"),
        (pagerduty, b'{"event": {"event_type": "Incident Triggered"}}', "com.pagerduty.unknown"),
        (pagerduty, b'{"event": {"event_type": "pagey.ping", "data": {}}}', "com.pagerduty.pagey.ping"),
        (pagerduty, b'{"event": [], "data": 7}', "com.pagerduty.unknown"),
        (alertmanager, b"{}", "io.prometheus.alertmanager.unknown"),
        (
            alertmanager,
            b'{"status": "on fire", "externalURL": "no url"}',
            "io.prometheus.alertmanager.unknown",
        ),
        (opsgenie, b"{}", "com.opsgenie.alert.custom"),
        (opsgenie, b'{"action": "Roll it back!", "integrationId": "../x"}', "com.opsgenie.alert.custom"),
        (opsgenie, b'{"action": "UnAcknowledge"}', "com.opsgenie.alert.unacknowledge"),
    ],
)
def test_what_nobody_knows_is_an_event_all_the_same(module: Any, body: bytes, type_: str):
    told = attributes(module.provider, body)
    assert told["type"] == type_
    assert told["time"] == RECEIVED


@pytest.mark.parametrize("module", [pagerduty, alertmanager, opsgenie, kubewatch])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{", b"1e999"])
def test_what_is_no_object_is_no_event(module: Any, body: bytes):
    with pytest.raises(InvalidCloudEvent):
        module.provider.translate(WebhookRequest({}, body, NOW))


def test_kubewatch_sends_a_cloudevent_without_saying_so():
    data = b'{"operation": "update",  "kind": "Deployment"}'
    body = (
        b'{"specversion":"1.0","type":"KUBERNETES_TOPOLOGY_CHANGE","source":"https://github.com/aantn/kubewatch",'
        b'"subject":"","id":"1734541119-7","time":"2024-12-18T17:58:39.674637507Z",'
        b'"datacontenttype":"application/json","data":' + data + b"}"
    )
    event = kubewatch.provider.translate(WebhookRequest({"content-type": "application/json"}, body, NOW))
    assert (event.type, event.id, event.subject) == ("KUBERNETES_TOPOLOGY_CHANGE", "1734541119-7", None)
    assert event.body == data


KUBEWATCH = (
    b'{"specversion":"1.0","type":"KUBERNETES_TOPOLOGY_CHANGE","source":"https://github.com/aantn/kubewatch",'
    b'"subject":"","id":"1734541119-7","datacontenttype":"application/json","data":{"operation":"update"}}'
)
DELIVERIES = {
    "alertmanager": ({"authorization": "Bearer pd-secret"}, RESOLVED),
    "kubewatch": ({"authorization": "Basic a3ViZXdhdGNoOnBkLXNlY3JldA=="}, KUBEWATCH),
    "opsgenie": ({"authorization": "Bearer pd-secret"}, CLOSED),
    "pagerduty": ({"x-pagerduty-signature": signature(TRIGGERED)}, TRIGGERED),
}


@pytest.mark.parametrize("name", sorted(DELIVERIES))
async def test_a10_a_delivery_comes_through_its_own_door_and_through_no_other(name: str):
    headers, body = DELIVERIES[name]
    sent = {"content-type": "application/json", **headers}
    hooks = {each: Webhook(found, FixedSecrets([SECRET])) for each, found in find_providers().items()}
    async with running(hooks=hooks) as ingress:
        response = await ingress.client.post(f"/webhooks/{name}", content=body, headers=sent)
        assert response.status_code == 202
        (record,) = ingress.publisher.records
        event = read_record(record.headers, record.value)
        assert ORIGIN[event.type.rpartition(".")[0]] == name
        signs = "signature" in "".join(headers)
        for other in ("github", "gitlab", "pagerduty" if not signs else "alertmanager"):
            refused = await ingress.client.post(f"/webhooks/{other}", content=body, headers=sent)
            assert refused.status_code == 401
        del sent[next(iter(headers))]
        assert (await ingress.client.post(f"/webhooks/{name}", content=body, headers=sent)).status_code == 401
        assert len(ingress.publisher.records) == 1


ORIGIN = {
    "io.prometheus.alertmanager": "alertmanager",
    "": "kubewatch",
    "com.opsgenie.alert": "opsgenie",
    "com.pagerduty.incident": "pagerduty",
}

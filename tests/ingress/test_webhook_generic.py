"""``POST /webhooks/generic``: reports with a bearer token, and what their senders are told."""

import json
from collections.abc import AsyncIterator

import pytest

from ingress.providers import Webhook, find_providers
from ingress.secrets import FixedSecrets
from schemas.cloudevents.kafka import read_record
from tests.ingress.recording import Ingress, assert_problem, running

TOKEN = {"authorization": "Bearer s3cret"}
REPORT = {
    "kind": "deployment",
    "service": "checkout",
    "environment": "production",
    "id": "4711",
    "time": "2026-01-31T12:00:00+01:00",
    "source": "https://ci.example.com/acme/checkout",
}


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    hooks = {"generic": Webhook(find_providers()["generic"], FixedSecrets([b"s3cret"]))}
    async with running(hooks=hooks) as ingress:
        yield ingress
        ingress.assert_all_counted()


async def test_a_report_becomes_an_event_of_its_source(ingress: Ingress):
    response = await ingress.client.post("/webhooks/generic", json=REPORT, headers=TOKEN)
    assert response.status_code == 202, response.text
    (record,) = ingress.publisher.records
    event = read_record(record.headers, record.value)
    assert (event.type, event.source) == ("dev.dora.report.deployment.v1", REPORT["source"])
    assert (event.subject, event.time) == ("checkout", "2026-01-31T12:00:00+01:00")
    assert event.data == REPORT


async def test_the_same_report_sent_again_is_the_same_event_and_another_is_not(ingress: Ingress):
    for body in (REPORT, REPORT, REPORT | {"id": "4712"}):
        await ingress.client.post("/webhooks/generic", json=body, headers=TOKEN)
    first, again, other = (
        read_record(record.headers, record.value).id for record in ingress.publisher.records
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not a report"),
        (b"{}", "kind says what is reported: one of deployment, incident, change"),
        (b'{"kind": "party"}', "kind says what is reported"),
        (b'{"kind": "deployment", "service": "a", "id": "1"}', "environment is missing; add it"),
        (json.dumps(REPORT | {"servce": "x"}).encode(), "no report has a field 'servce'"),
        (b'{"kind": "deployment", "service": "a", "environment": "b"}', "give an id"),
        (json.dumps(REPORT | {"time": "noon"}).encode(), "time is not a time with a zone; write it as"),
        (json.dumps(REPORT | {"source": "a b"}).encode(), "source is not a URI-reference"),
        (json.dumps(REPORT | {"service": "a\x00"}).encode(), "service has a control character"),
        (json.dumps(REPORT | {"service": "x" * 257}).encode(), "$.service"),
        (b'{"kind": "incident", "id": "1", "service": "a", "environment": "b", "status": "bad"}', "$.status"),
        (b"[" * 100_000, "not a report"),
        (b"\xff\xfe", "not a report"),
    ],
)
async def test_a_sender_is_told_what_is_wrong(ingress: Ingress, body: bytes, says: str):
    headers = TOKEN | {"content-type": "application/json"}
    response = await ingress.client.post("/webhooks/generic", content=body, headers=headers)
    assert says in assert_problem(response, 400, "invalid-event")["detail"]
    assert not ingress.publisher.records


@pytest.mark.parametrize(
    "told", [None, "", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "s3cret", "Token s3cret"]
)
async def test_without_the_token_nothing_is_read(ingress: Ingress, told: str | None):
    headers = {} if told is None else {"authorization": told}
    for body in (b"nonsense", json.dumps(REPORT).encode()):
        response = await ingress.client.post("/webhooks/generic", content=body, headers=headers)
        assert_problem(response, 401, "unauthenticated")


async def test_a6_a_token_in_the_address_counts_for_nothing(ingress: Ingress):
    response = await ingress.client.post("/webhooks/generic?token=s3cret", json=REPORT)
    assert_problem(response, 401, "unauthenticated")

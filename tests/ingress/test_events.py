"""Events in, records out: every HTTP case through the application, and what the routes promise."""

import asyncio
import base64
import gzip
import json
from typing import Any

import pytest

from ingress.delivery import Delivery
from ingress.publisher import Overloaded, RecordTooLarge, Unavailable, Unconfirmed
from ingress.settings import Settings
from tests.cloudevents import cases
from tests.ingress.recording import Ingress, assert_problem, running

CASES = cases.lines("http-binding-cases.jsonl")
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-type": "t",
    "ce-source": "/s",
    "content-type": "application/json",
}
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
EVENT = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s"}


@pytest.mark.parametrize("path", ["/", "/cloudevents"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_case(ingress: Ingress, case: dict[str, Any], path: str):
    request, expect = case["request"], case["expect"]
    body = base64.b64decode(request["body_b64"])
    for _ in range(expect.get("repeat", 1)):
        response = await ingress.client.request(
            request["method"], path, headers=request["headers"], content=body
        )
    if expect["result"] == "accept":
        assert response.status_code == 202
        assert response.content == b""
        assert len(ingress.publisher.records) == len(expect.get("events", [0])) * expect.get("repeat", 1)
    else:
        assert response.status_code // 100 == expect.get("status_class", 4)
        assert response.status_code == expect.get("status", response.status_code)
        assert response.headers["content-type"] == "application/problem+json"
        assert ingress.publisher.records == []


async def test_p1_a15_a_record_is_the_event_in_binary_mode_and_nothing_else(ingress: Ingress):
    headers = {
        **BINARY,
        "ce-subject": "a%20%E2%82%AC",
        "ce-traceparent": "in the event",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "rojo=1",
        "authorization": "Bearer secret",
        "cookie": "secret",
        "x-forwarded-for": "1.2.3.4",
        "faust-ag-replyto": "elsewhere",
        "ce_id": "not a header of the binding",
    }
    response = await ingress.client.post("/", headers=headers, content=b'{ "a" : 1.0 }')
    assert response.status_code == 202
    (record,) = ingress.publisher.records
    assert record.value == b'{ "a" : 1.0 }'
    assert record.key == "/sa €".encode()
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"1",
        "ce_type": b"t",
        "ce_source": b"/s",
        "ce_subject": "a €".encode(),
        "ce_traceparent": b"in the event",
        "content-type": b"application/json",
        "traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": b"rojo=1",
    }


async def test_a_malformed_trace_context_is_left_behind(ingress: Ingress):
    headers = {**BINARY, "traceparent": "00-XX-secret", "tracestate": "a" * 600}
    await ingress.client.post("/", headers=headers)
    (record,) = ingress.publisher.records
    assert not {"traceparent", "tracestate"} & dict(record.headers).keys()


async def test_the_partition_key_is_the_key_and_stays_an_attribute(ingress: Ingress):
    await ingress.client.post("/", headers={**BINARY, "ce-partitionkey": "p"})
    (record,) = ingress.publisher.records
    assert record.key == b"p"
    assert ("ce_partitionkey", b"p") in record.headers


async def test_p1_structured_data_is_published_byte_for_byte(ingress: Ingress):
    envelope = b'{"specversion":"1.0","id":"1","type":"t","source":"/s","data": {"z":1.0 , "a":"\\u20ac"} }'
    await ingress.client.post("/", headers=STRUCTURED, content=envelope)
    (record,) = ingress.publisher.records
    assert record.value == b'{"z":1.0 , "a":"\\u20ac"}'
    assert ("content-type", b"application/json") in record.headers


async def test_a_batch_is_published_in_order(ingress: Ingress):
    batch = [{**EVENT, "id": str(number), "data": number} for number in range(50)]
    response = await ingress.client.post("/", headers=BATCH, content=json.dumps(batch))
    assert response.status_code == 202
    assert [record.value for record in ingress.publisher.records] == [b"%d" % number for number in range(50)]
    assert ingress.counter("events_accepted_total", mode="batch") == 50


async def test_p10_one_invalid_event_refuses_its_batch_and_is_named(ingress: Ingress):
    batch = [EVENT, EVENT, {**EVENT, "id": "secret\x00value"}, EVENT]
    document = assert_problem(
        await ingress.client.post("/", headers=BATCH, content=json.dumps(batch)), 400, "invalid-event"
    )
    assert document["index"] == 2
    assert document["attribute"] == "id"
    assert "secret" not in json.dumps(document)
    assert ingress.publisher.records == []


async def test_p11_a_batch_with_too_many_events_is_refused():
    async with running(Settings(batch_limit=2)) as ingress:
        response = await ingress.client.post("/", headers=BATCH, content=json.dumps([EVENT] * 3))
        assert_problem(response, 413, "too-large")
        response = await ingress.client.post("/", headers=BATCH, content=json.dumps([EVENT] * 2))
        assert response.status_code == 202
        ingress.assert_all_counted()


async def test_p11_an_empty_batch_is_accepted_without_kafka(ingress: Ingress):
    assert (await ingress.client.post("/", headers=BATCH, content=b"[]")).status_code == 202
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry_after"),
    [
        (Overloaded("9 events wait"), 503, "overloaded", "1"),
        (Unavailable("no broker"), 503, "unavailable", "2"),
        (Unconfirmed("not confirmed"), 503, "unconfirmed", "2"),
        (RecordTooLarge("larger than 9 bytes"), 413, "too-large", None),
    ],
)
async def test_what_is_not_confirmed_is_not_accepted(ingress: Ingress, error, status, kind, retry_after):
    ingress.publisher.error = error
    response = await ingress.client.post("/", headers=BINARY)
    assert_problem(response, status, kind)
    assert response.headers.get("retry-after") == retry_after
    assert ingress.counter("requests_refused_total", reason=kind) == 1
    assert ingress.counter("events_accepted_total", mode="binary") == 0


async def test_a_fault_of_ours_is_a_problem_without_its_insides(ingress: Ingress):
    ingress.publisher.error = RuntimeError("SELECT secret")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {**BINARY, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    document = assert_problem(await ingress.client.post("/", headers=headers), 500, "internal")
    assert document["trace_id"] == trace
    assert "SELECT" not in json.dumps(document)
    assert ingress.counter("requests_refused_total", reason="internal") == 1


@pytest.mark.parametrize("path", ["/", "/cloudevents", "/cdevents"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
async def test_p2_other_methods(ingress: Ingress, path: str, method: str):
    response = await ingress.client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"
    assert_problem(response, 405, "method-not-allowed")


async def test_other_methods_of_the_operation_endpoints(ingress: Ingress):
    response = await ingress.client.post("/healthz")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "path", ["/cloudevents/", "/CloudEvents", "/events", "/cloudevents//", "/%2e%2e/etc"]
)
async def test_p3_other_paths_are_not_redirected(ingress: Ingress, path: str):
    assert_problem(await ingress.client.post(path, headers=BINARY), 404, "not-found")


async def test_plain_json_is_told_what_to_do(ingress: Ingress):
    document = assert_problem(await ingress.client.post("/", json={"a": 1}), 415, "unsupported-format")
    assert "id, source, specversion, type" in document["detail"]
    assert "application/cloudevents+json" in document["detail"]


BOMB = gzip.compress(bytes(900_000))  # a thousand to one


@pytest.mark.parametrize("path", ["/", "/cloudevents", "/cdevents", "/webhooks/github"])
@pytest.mark.parametrize(
    "coding", ["gzip", "GZIP", "br", "zstd", "deflate", "identity, gzip", "nonsense", ""]
)
async def test_b4_compressed_bodies_are_not_read(ingress: Ingress, path: str, coding: str, monkeypatch):
    monkeypatch.setattr(Delivery, "body", None)  # reading would fail
    response = await ingress.client.post(path, headers={**BINARY, "content-encoding": coding}, content=BOMB)
    assert_problem(response, 415, "unsupported-format")
    assert response.headers["accept-encoding"] == "identity"
    assert ingress.publisher.records == []


async def test_b4_a_body_that_says_it_is_not_compressed_is_read(ingress: Ingress):
    response = await ingress.client.post(
        "/", headers={**BINARY, "content-encoding": "identity"}, content=b"{}"
    )
    assert response.status_code == 202


async def test_a_request_waits_for_kafka(ingress: Ingress):
    ingress.publisher.gate = asyncio.Event()
    waiting = asyncio.create_task(ingress.client.post("/", headers=BINARY))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert ingress.counter("requests_in_flight") == 1
    ingress.publisher.gate.set()
    assert (await waiting).status_code == 202

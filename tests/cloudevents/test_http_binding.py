"""Reading HTTP messages: every case, the official features, and the corners that they leave out."""

import base64
import json
from typing import Any

import pytest

from schemas.cloudevents import http, kafka
from schemas.cloudevents.event import InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.format import InvalidBatch, TooManyEvents
from schemas.cloudevents.http import Mode, read_message, write_binary
from tests.cloudevents import cases

CASES = [case for case in cases.lines("http-binding-cases.jsonl") if case["request"]["method"] == "POST"]
ACCEPTED = [case for case in CASES if case["expect"]["result"] == "accept"]
REFUSED = [case for case in CASES if case["expect"]["result"] == "reject"]
MINIMUM = [(b"ce-specversion", b"1.0"), (b"ce-id", b"1"), (b"ce-type", b"t"), (b"ce-source", b"/s")]


def test_every_case_is_used():
    assert len(ACCEPTED) > 20
    assert len(REFUSED) > 20


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["id"])
def test_accepted(case: dict[str, Any]):
    expect = case["expect"]
    mode, events = read_message(cases.http_headers(case), cases.http_body(case))
    assert mode == expect.get("mode", "binary")
    if "events" in expect:
        assert [event.id for event in events] == expect["events"]
        return
    (event,) = events
    headers, value = kafka.write_binary(event)
    sent = {name: raw.decode() for name, raw in headers}
    for name, text in expect.get("attributes", {}).items():
        if name == "time_instant":
            assert cases.same_instant(event.time, text)
        else:
            assert event.attributes[name] == text
    if "data_json" in expect:
        assert json.loads(value) == expect["data_json"]
    if "data_b64" in expect:
        assert value == base64.b64decode(expect["data_b64"])
    if "data" in expect:
        assert value is expect["data"] is None
    if expect.get("kafka_value_identical"):
        assert value == cases.http_body(case)
    if "kafka_value" in expect:
        assert value == expect["kafka_value"].encode()
    if "kafka_content_type" in expect:
        assert sent["content-type"] == expect["kafka_content_type"]
    assert expect.get("kafka_headers", {}).items() <= sent.items()
    assert not sent.keys() & set(expect.get("kafka_headers_absent", []))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
def test_refused(case: dict[str, Any]):
    with pytest.raises(InvalidCloudEvent) as refusal:
        read_message(cases.http_headers(case), cases.http_body(case))
    assert isinstance(refusal.value, UnsupportedFormat) == (case["expect"].get("status") == 415)


@pytest.mark.parametrize("scenario", cases.scenarios("http-protocol-binding"), ids=lambda each: each.name)
def test_official_feature(scenario: cases.Scenario):
    head, _, body = scenario.request.partition("\n\n")
    headers = [line.partition(": ") for line in head.splitlines()[1:]]
    (event,) = read_message([(k.lower().encode(), v.encode()) for k, _, v in headers], body.encode()).events
    assert event.attributes == scenario.attributes
    assert event.data == scenario.data


def with_header(name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [*(header for header in MINIMUM if header[0] != name), (name, value)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"%e2%82%ac", "€"),
        (b'"a%20b"', "a b"),
        (rb'"a\\b"', "a\\b"),
        (b'5" pipe', '5" pipe'),
        (b"  padded\t", "padded"),
        (b"%22quoted%22", '"quoted"'),
        (b"a+b", "a+b"),
        (b"%41%42", "AB"),
    ],
)
def test_p12_header_values_are_decoded_once(raw: bytes, text: str):
    assert read_message(with_header(b"ce-subject", raw), b"").events[0].subject == text


@pytest.mark.parametrize(
    "raw",
    [
        b"%",
        b"100%",
        b"%G0",
        b"%C0%A0",
        b"%ED%A0%80",
        b"%FF",
        b'"open',
        b'"a"b"',
        "é".encode(),
        b"\xe9",
        b"%00",
        b"%0A",
    ],
)
def test_p12_broken_header_values_are_refused_and_not_repeated(raw: bytes):
    with pytest.raises(InvalidCloudEvent) as refusal:
        read_message(with_header(b"ce-subject", raw), b"")
    assert refusal.value.attribute == "subject"
    assert raw.decode("latin-1") not in refusal.value.reason or raw == b"%"


@pytest.mark.parametrize("name", [b"ce-id", b"ce-ext", b"content-type"])
def test_p12_repeated_headers_are_refused(name: bytes):
    with pytest.raises(InvalidCloudEvent, match="repeated"):
        read_message([*MINIMUM, (b"ce-ext", b"1"), (b"content-type", b"a/b"), (name, b"1")], b"")


@pytest.mark.parametrize("name", [b"ce-", b"ce-my-ext", b"ce-data", b"ce-\xe9"])
def test_names_that_no_attribute_has_are_refused(name: bytes):
    with pytest.raises(InvalidCloudEvent, match="attribute names"):
        read_message([*MINIMUM, (name, b"1")], b"")


def test_an_empty_body_is_no_data_and_an_empty_content_type_none():
    (event,) = read_message([*MINIMUM, (b"content-type", b"")], b"").events
    assert event.body is None
    assert "datacontenttype" not in event.attributes


def test_plain_json_is_told_what_is_missing_and_what_to_send():
    with pytest.raises(
        InvalidCloudEvent, match=r"id, source, specversion, type.*application/cloudevents\+json"
    ):
        read_message([(b"content-type", b"application/json")], b'{"id": "1"}')


def test_an_envelope_wins_over_ce_headers():
    envelope = b'{"specversion":"1.0","id":"body","type":"t","source":"/s"}'
    headers = [*MINIMUM, (b"ce-\xff", b"\xff"), (b"content-type", b"application/cloudevents+json")]
    assert read_message(headers, envelope).events[0].id == "body"


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents",
        b"application/cloudevents+xml",
        b"application/cloudevents-batch",
        b"application/cloudevents-batch+protobuf",
        b"application/cloudevents+json; charset=utf-16",
        b'application/cloudevents+json; charset="latin1"',
    ],
)
def test_p7_formats_that_are_not_read(content_type: bytes):
    with pytest.raises(UnsupportedFormat):
        read_message([(b"content-type", content_type)], b"{}")


def test_p10_the_invalid_event_of_a_batch_is_named():
    batch = json.dumps(
        [
            {"specversion": "1.0", "id": str(n), "type": "t", "source": "/s" if n != 2 else ""}
            for n in range(4)
        ]
    )
    with pytest.raises(InvalidBatch) as refusal:
        read_message([(b"content-type", b"application/cloudevents-batch+json")], batch.encode())
    assert refusal.value.index == 2
    assert refusal.value.attribute == "source"


def test_p11_a_batch_is_bounded():
    event = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s"}
    headers = [(b"content-type", b"application/cloudevents-batch+json; charset=utf-8")]
    assert len(read_message(headers, json.dumps([event] * 3).encode(), 3).events) == 3
    with pytest.raises(TooManyEvents):
        read_message(headers, json.dumps([event] * 4).encode(), 3)


def test_what_is_written_is_read_again():
    (event,) = read_message(
        [*MINIMUM, (b"ce-subject", b"%E2%82%AC%20%22%25"), (b"content-type", b"a/b")], b"x"
    ).events
    headers, body = write_binary(event)
    assert dict(headers)["ce-subject"] == "%E2%82%AC%20%22%25"
    again = read_message([(name.encode(), value.encode()) for name, value in headers], body)
    assert again == http.Message(Mode.BINARY, [event])

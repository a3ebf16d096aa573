"""Kafka records, read and written: every case, the official features, real KafkaSink records, garbage."""

import json
from typing import Any

import pytest

from schemas.cloudevents.event import InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.kafka import key_of, read_record, write_binary
from tests.cloudevents import cases

CASES = cases.lines("kafka-binding-cases.jsonl")
KAFKASINK = sorted((cases.FIXTURES / "payloads/knative-kafkasink-records").glob("*.json"))
MINIMUM = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_type", b"t"), ("ce_source", b"/s")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]):
    expect = case["expect"]
    headers, value = cases.kafka_record(case)
    if expect["result"] == "reject":
        with pytest.raises(InvalidCloudEvent):
            read_record(headers, value)
        return
    event = read_record(headers, value)
    assert expect.get("attributes", {}).items() <= event.attributes.items()
    if "data_json" in expect:
        assert event.data == expect["data_json"]
    if expect["mode"] == "binary":
        assert event.body == value


@pytest.mark.parametrize("scenario", cases.scenarios("kafka-protocol-binding"), ids=lambda each: each.name)
def test_official_feature(scenario: cases.Scenario):
    headers = [(name, value.encode()) for name, value in scenario.headers.items()]
    event = read_record(headers, scenario.payload.encode())
    assert event.attributes == scenario.attributes
    assert event.data == scenario.data


@pytest.mark.parametrize("path", KAFKASINK, ids=lambda path: path.stem)
def test_record_of_a_real_kafkasink(path):
    record = json.loads(path.read_text())
    event = read_record(
        [(name, value.encode()) for name, value in record["headers"]], record["value"].encode()
    )
    expected = {**record["expected_cloudevent"]}
    assert expected.items() <= event.attributes.items()
    sent = json.loads(record["value"])
    assert event.data == (sent["data"] if record["mode"] == "structured" else sent)


@pytest.mark.parametrize(
    ("headers", "value", "reason"),
    [
        (None, None, "not a CloudEvent"),
        ([], b"\x00\xff", "not a CloudEvent"),
        ([("x", None), ("", b"")], b"{}", "not a CloudEvent"),
        ([("content-type", b"application/json")], b"{}", "not a CloudEvent"),
        ([("content-type", b"\xff")], b"{}", "content-type header is not UTF-8"),
        ([("content-type", b"a/b"), ("content-type", b"a/c")], b"{}", "two content-type headers differ"),
        ([("content-type", b"application/cloudevents+json")], None, "null value"),
        ([("content-type", b"application/cloudevents+json")], b"[]", "an event is a JSON object"),
        ([("content-type", b"application/cloudevents+json")], b"\xff", "not valid JSON"),
        ([*MINIMUM, ("ce_id", b"2")], None, "repeated"),
        ([*MINIMUM, ("ce_ext", b"\xc0\xa0")], None, "not UTF-8"),
        ([*MINIMUM, ("ce_Ext", b"1")], None, "attribute names"),
        ([*MINIMUM, ("ce_\x00", b"1")], None, "attribute names"),
        ([*MINIMUM, ("ce_subject", b"")], None, "subject must not be empty"),
        ([*MINIMUM, ("ce_subject", b"a\x00b")], None, "control character"),
        ([*MINIMUM, ("ce_datacontenttype", b"a/b"), ("content-type", b"a/c")], b"", "differ"),
        (
            [("ce_specversion", b"1.0"), ("ce_id", None), ("ce_type", b"t"), ("ce_source", b"/s")],
            None,
            "missing: id",
        ),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(headers, value, reason: str):
    with pytest.raises(InvalidCloudEvent, match=reason) as refusal:
        read_record(headers, value)
    assert (refusal.value.attribute or "").isprintable()


@pytest.mark.parametrize("format_", [b"application/cloudevents+avro", b"application/cloudevents-batch+json"])
def test_formats_that_are_not_read(format_: bytes):
    with pytest.raises(UnsupportedFormat):
        read_record([("content-type", format_)], b"[]")


def test_a_null_header_is_no_attribute():
    assert "subject" not in read_record([*MINIMUM, ("ce_subject", None)], None).attributes


def test_the_content_type_header_is_found_in_any_case():
    envelope = b'{"specversion":"1.0","id":"9","type":"t","source":"/s"}'
    assert read_record([("Content-Type", b"Application/CloudEvents+JSON")], envelope).id == "9"


def test_null_and_empty_values_stay_apart():
    assert read_record(MINIMUM, None).body is None
    assert read_record(MINIMUM, b"").body == b""


def test_kubewatch_sends_an_empty_subject_that_means_none():
    headers = [header for header in MINIMUM if header[0] != "ce_type"]
    kubewatch = [*headers, ("ce_type", b"KUBERNETES_TOPOLOGY_CHANGE"), ("ce_subject", b"")]
    assert read_record(kubewatch, b"{}").subject is None


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        ([], b"/s"),
        ([("ce_subject", "€".encode())], "/s€".encode()),
        ([("ce_subject", b"x"), ("ce_partitionkey", b"p")], b"p"),
        ([("ce_partitionkey", b"")], b"/s"),
    ],
)
def test_the_key_is_the_partitionkey_else_source_and_subject(extra, key: bytes):
    event = read_record([*MINIMUM, *extra], None)
    assert key_of(event) == key
    assert ("partitionkey" in event.attributes) is ("ce_partitionkey" in dict(extra))


def test_values_are_written_as_canonical_strings_and_never_percent_encoded():
    envelope = (
        '{"specversion":"1.0","id":"a b","type":"t€","source":"/s","yes":true,"no":false,"n":-7,"data":null}'
    )
    headers, value = write_binary(
        read_record([("content-type", b"application/cloudevents+json")], envelope.encode())
    )
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"a b",
        "ce_type": "t€".encode(),
        "ce_source": b"/s",
        "ce_yes": b"true",
        "ce_no": b"false",
        "ce_n": b"-7",
        "content-type": b"application/json",
    }
    assert value == b"null"

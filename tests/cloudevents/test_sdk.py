"""The CloudEvents SDK's own reader, on the same cases: the reason why we have ours, and for how long."""

import json
from typing import Any

from cloudevents.core.bindings import http as sdk_http
from cloudevents.core.bindings import kafka as sdk_kafka

from tests.cloudevents import cases

# Cases that the SDK cannot be asked about: it has no batches, and no HTTP methods.
HTTP = [
    case
    for case in cases.lines("http-binding-cases.jsonl")
    if case["request"]["method"] == "POST" and case["expect"].get("mode") != "batch"
]
KAFKA = cases.lines("kafka-binding-cases.jsonl")


def passes(case: dict[str, Any], read: Any) -> bool:
    expect = case["expect"]
    try:
        event = read(case)
        attributes = event.get_attributes()
    except Exception:  # noqa: BLE001 - whatever the SDK raises is its refusal
        return expect["result"] == "reject"
    if expect["result"] == "reject":
        return False
    wanted = {name: text for name, text in expect.get("attributes", {}).items() if name != "time_instant"}
    return (
        wanted.items() <= attributes.items() and expect.get("data_json", event.get_data()) == event.get_data()
    )


def read_http(case: dict[str, Any]) -> Any:
    message = sdk_http.HTTPMessage(case["request"]["headers"], cases.http_body(case))
    return sdk_http.from_http_event(message)


def read_kafka(case: dict[str, Any]) -> Any:
    headers, value = cases.kafka_record(case)
    return sdk_kafka.from_kafka_event(sdk_kafka.KafkaMessage(dict(headers), None, value))


def test_our_reader_is_still_needed():
    """When this fails, the SDK has caught up: docs/dependencies.md says what could go then."""
    failing = [case["id"] for case in HTTP if not passes(case, read_http)]
    failing += [case["id"] for case in KAFKA if not passes(case, read_kafka)]
    assert {"http-bin-missing-id", "http-bin-pct-overlong", "kafka-missing-id"} <= set(failing), json.dumps(
        failing
    )

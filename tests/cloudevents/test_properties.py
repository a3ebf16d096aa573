"""What holds for all events and all bytes."""

import contextlib
import json
import string
from datetime import UTC
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.cloudevents import http, kafka
from schemas.cloudevents.attributes import canonical
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.format import read_event, write_event
from schemas.cloudevents.syntax import is_text

texts = st.text(max_size=40).filter(is_text)
names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
core = frozenset(
    {"data", "id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema"}
)
extensions = st.dictionaries(
    names.filter(lambda name: name not in core),
    texts | st.booleans() | st.integers(-(2**31), 2**31 - 1),
    max_size=5,
)
events = st.builds(
    lambda attributes, more, body: CloudEvent({"specversion": "1.0", **attributes, **more}, body),
    st.fixed_dictionaries(
        {
            "id": texts.filter(bool),
            "type": texts.filter(bool),
            "source": st.sampled_from(["/s", "urn:a:b", "#f"]),
        },
        optional={
            "subject": texts.filter(bool),
            "time": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
            "datacontenttype": st.sampled_from(
                ["application/json", "text/plain; charset=utf-8", "image/png"]
            ),
        },
    ),
    extensions,
    st.none() | st.binary(max_size=200),
)


def as_strings(event: CloudEvent) -> CloudEvent:
    return CloudEvent({name: canonical(value) for name, value in event.attributes.items()}, event.body)


@given(events)
def test_kafka_round_trip(event: CloudEvent):
    assert kafka.read_record(*kafka.write_binary(event)) == as_strings(event)


@given(events)
def test_http_round_trip(event: CloudEvent):
    headers, body = http.write_binary(event)
    assert all(value.isascii() and value.isprintable() for _, value in headers)
    raw = [(name.encode(), value.encode()) for name, value in headers]
    expected = as_strings(event)
    # Spaces around a header value are the transport's; encoding them keeps them.
    assert http.read_message(raw, body).events == [CloudEvent(expected.attributes, expected.body or None)]


@given(events)
def test_json_round_trip(event: CloudEvent):
    again = read_event(write_event(event))
    assert again.body == event.body
    assert {**event.attributes, "datacontenttype": again.content_type} == {
        "datacontenttype": None,
        **again.attributes,
    }


any_name = (
    st.text(max_size=10)
    | names.map("ce_{}".format)
    | st.sampled_from(
        ["content-type", "ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_subject"]
    )
)
any_value = (
    st.none()
    | st.binary(max_size=30)
    | st.sampled_from(
        [
            b"1.0",
            b"/s",
            b"2018-04-05T17:31:00Z",
            b"application/cloudevents+json",
            b"application/cloudevents-batch+json",
        ]
    )
)


@given(st.none() | st.lists(st.tuples(any_name, any_value), max_size=12), st.none() | st.binary(max_size=200))
@settings(max_examples=500)
@example([("content-type", b"application/cloudevents+json")], b'{"id":' + b"[" * 5000)
def test_reading_a_record_raises_nothing_but_invalid_cloud_event(headers: Any, value: bytes | None):
    with contextlib.suppress(InvalidCloudEvent):
        assert kafka.read_record(headers, value).id


json_like = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(core)) | names | texts, json_like, max_size=10))
def test_reading_an_envelope_raises_nothing_but_invalid_cloud_event(document: dict[str, Any]):
    try:
        event = read_event(json.dumps({"specversion": "1.0", **document}).encode())
    except InvalidCloudEvent:
        return
    assert event.id
    if event.content_type == "application/json" and "data" in document:
        assert event.data == document["data"]

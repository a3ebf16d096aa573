"""The JSON event format: conformance PR 33, the official YAML events, exact bytes, strictness."""

import json
from typing import Any

import pytest

from schemas.cloudevents import strict_json
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.format import read_batch, read_event, write_event
from schemas.cloudevents.kafka import read_record, write_binary
from tests.cloudevents import cases

# README-common.md of the suite: the events that valid tests must become.
MINIMAL = {
    "specversion": "1.0",
    "id": "minimal",
    "type": "io.cloudevents.test",
    "source": "https://cloudevents.io",
}
ALL_CORE = {
    **MINIMAL,
    "id": "allCore",
    "datacontenttype": "text/plain",
    "dataschema": "https://cloudevents.io/dataschema",
    "subject": "tests",
    "time": "2018-04-05T17:31:00Z",
}
SAMPLES: dict[str, dict[str, Any]] = {
    "minimal": MINIMAL,
    "minimalWithTime": {**MINIMAL, "id": "minimalWithTime", "time": "2018-04-05T17:31:00Z"},
    "minimalWithRelativeSource": {**MINIMAL, "id": "minimalWithRelativeSource", "source": "#fragment"},
    "allCore": ALL_CORE,
    "simpleTextData": {**MINIMAL, "id": "simpleTextData", "datacontenttype": "text/plain"},
    "allExtensionTypes": {
        **MINIMAL,
        "id": "allExtensionTypes",
        "extinteger": 10,
        "extboolean": True,
        "extstring": "text",
        "extbinary": "TWE=",
        "exttimestamp": "2023-03-31T15:12:00Z",
        "exturi": "https://cloudevents.io",
        "exturiref": "//authority/path",
    },
}
BATCHES = {
    "empty": [],
    "minimal": ["minimal"],
    "minimal2": ["minimal", "minimal"],
    "minimalAndAllCore": ["minimal", "allCore"],
    "minimalAndAllExtensionTypes": ["minimal", "allExtensionTypes"],
}
ENVELOPE = '{"specversion":"1.0","id":"1","type":"t","source":"/s"%s}'


def assert_is_sample(event: CloudEvent, name: str) -> None:
    expected, attributes = dict(SAMPLES[name]), dict(event.attributes)
    if "time" in expected:
        assert cases.same_instant(attributes.pop("time"), expected.pop("time"))
    assert attributes == expected


def envelope(extra: str = "") -> bytes:
    return (ENVELOPE % extra).encode()


@pytest.mark.parametrize("test", cases.format_tests("valid-events"), ids=lambda test: test["id"])
def test_valid_event(test: dict[str, Any]):
    event = read_event(json.dumps(test["event"]).encode())
    assert_is_sample(event, test["sampleId"])
    assert event.body is None or test["sampleId"] == "simpleTextData"


@pytest.mark.parametrize("test", cases.format_tests("invalid-events"), ids=lambda test: test["id"])
def test_invalid_event(test: dict[str, Any]):
    with pytest.raises(InvalidCloudEvent):
        read_event(json.dumps(test["event"]).encode())


@pytest.mark.parametrize("test", cases.format_tests("valid-batches"), ids=lambda test: test["id"])
def test_valid_batch(test: dict[str, Any]):
    events = read_batch(json.dumps(test["batch"]).encode())
    for event, sample in zip(events, BATCHES[test["sampleId"]], strict=True):
        assert_is_sample(event, sample)


@pytest.mark.parametrize("test", cases.format_tests("invalid-batches"), ids=lambda test: test["id"])
def test_invalid_batch(test: dict[str, Any]):
    with pytest.raises(InvalidCloudEvent):
        read_batch(json.dumps(test["batch"]).encode())


@pytest.mark.parametrize(
    "document", cases.yaml_events(), ids=lambda document: document["ContextAttributes"]["id"]
)
def test_official_yaml_event_survives_every_binding(document: dict[str, Any]):
    attributes = {**document["ContextAttributes"]}
    attributes |= attributes.pop("Extensions", {})
    # The suite's own YAML ends values with a newline, which no attribute may hold.
    attributes = {name: value.rstrip("\n") for name, value in attributes.items()}
    event = CloudEvent(attributes, document["Data"].encode())
    assert read_record(*write_binary(event)) == event
    again = read_event(write_event(event))
    if "datacontenttype" in attributes:
        assert again.attributes == event.attributes
    assert again.body in (event.body, event.body.strip())


@pytest.mark.parametrize(
    ("members", "body"),
    [
        (',"data":{ "b":1.0 ,\n"a" : "\\u20ac" }', b'{ "b":1.0 ,\n"a" : "\\u20ac" }'),
        (',"data": 12345678901234567890123', b"12345678901234567890123"),
        (',"data":"\\u0000"', b'"\\u0000"'),
        (',"data":null', b"null"),
        (',"data":false', b"false"),
        (',"data":"a string"', b'"a string"'),
        (',"data":"text","datacontenttype":"application/vnd.x+JSON; a=b"', b'"text"'),
        (',"data":"<a b=\\"€\\"/>","datacontenttype":"application/xml"', '<a b="€"/>'.encode()),
        (',"data_base64":"AAEC","datacontenttype":"a/b"', b"\x00\x01\x02"),
        (',"data_base64":"AAEC","datacontenttype":"application/json"', b"\x00\x01\x02"),
        (',"data_base64":""', b""),
        (',"data_base64":null,"data":1', b"1"),
        (',"data_base64":null', None),
        ("", None),
    ],
)
def test_b8_b10_data_is_cut_out_byte_for_byte(members: str, body: bytes | None):
    assert read_event(envelope(members)).body == body
    (event,) = read_batch(b" [ " + envelope(members) + b" ] ")
    assert event.body == body


@pytest.mark.parametrize(("members", "content_type"), [("", None), (',"data":1', "application/json")])
def test_the_implied_content_type_becomes_explicit_with_data(members: str, content_type: str | None):
    assert read_event(envelope(members)).content_type == content_type


@pytest.mark.parametrize(
    "members",
    [
        ',"data":{},"datacontenttype":"text/plain"',
        ',"data_base64":"AAE"',
        ',"data_base64":"AA E="',
        ',"data_base64":"AA_-"',
        ',"data_base64":"é"',
        ',"data_base64":7',
        ',"data":1,"data_base64":"AAEC"',
    ],
)
def test_p9_data_that_cannot_be_understood(members: str):
    with pytest.raises(InvalidCloudEvent):
        read_event(envelope(members))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"{} {}",
        b"\xef\xbb\xbf{}",
        '{"a": "€"}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        envelope(',"id":"2"'),
        envelope(',"\\u0069d":"2"'),
        envelope(',"data":{"action":1,"action":2}'),
        envelope(',"data":[[{"x":{"y":1,"y":1}}]]'),
        # The name that is lost takes a colon with it, and the escaped one makes up for it.
        envelope(',"data":{"a":1,"a":"\\u003a"}'),
        envelope(',"data":{"a":":","a":"\\u003A\\u003A"}'),
        envelope(',"data":NaN'),
        envelope(',"data":-Infinity'),
        envelope(',"data":1e999'),
        envelope(',"data":' + "9" * 5000),
        envelope(',"data":"\\ud800"'),
        envelope(',"data":"\\udc00\\ud800"'),
        envelope(',"data":"a\nb"'),
        envelope(',"data":01'),
        envelope(',"data":1.'),
        envelope(',"data":[1,]'),
        envelope(",\"data\":'x'"),
        envelope(',"data":' + "[" * 100_000 + "]" * 100_000),
        envelope(',"data":' + '{"a":' * 500 + "1" + "}" * 500),
        b"[" * 1_000_000,
    ],
)
def test_b6_b7_b8_b9_b11_json_with_no_or_two_meanings_is_refused(text: bytes):
    with pytest.raises(InvalidCloudEvent):
        read_event(text)
    if text not in (b"null", b"[]", b'"text"'):  # JSON, and no event
        # The data alone, as it is sent in binary mode; or all of it, where there is no data.
        data = text.partition(b',"data":')[2].removesuffix(b"}") or text
        with pytest.raises(InvalidCloudEvent):
            _ = CloudEvent(MINIMAL, data).data


@pytest.mark.parametrize("text", [b"{}", b"null", b"1", b'"x"', b'{"a":[]}'])
def test_b12_a_batch_is_an_array_of_objects(text: bytes):
    for batch in (text, b"[" + text + b"]"):
        with pytest.raises(InvalidCloudEvent):
            read_batch(batch)


def test_b6_nesting_is_allowed_to_its_limit_and_no_further():
    def nested(levels: int) -> bytes:
        return b'{"a":' * (levels - 1) + b"[]" + b"}" * (levels - 1)

    assert strict_json.parse(nested(strict_json.DEEPEST))
    with pytest.raises(InvalidCloudEvent, match="nested deeper"):
        strict_json.parse(nested(strict_json.DEEPEST + 1))
    wide = b"[" + b",".join([b'{"a":[{}]}'] * 1000) + b"]"
    assert len(strict_json.parse(wide)) == 1000


def test_brackets_in_strings_are_not_nesting():
    assert strict_json.parse(b'"' + b"[{" * 1000 + b'"') == "[{" * 1000


@pytest.mark.parametrize(
    "body", [b'{ "a": 1 }', b"text \xe2\x82\xac", b"\xff\x00", b'{"a":1,"a":2}', b"", None]
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_a_written_envelope_reads_the_same(body: bytes | None, content_type: str):
    event = CloudEvent({**MINIMAL, "n": 1, "yes": True, "datacontenttype": content_type}, body)
    assert read_event(write_event(event)) == event

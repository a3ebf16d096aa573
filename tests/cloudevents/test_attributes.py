"""The rules for context attributes."""

import time
from typing import Any

import pytest

from schemas.cloudevents.attributes import canonical, check
from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.syntax import is_media_type, is_time, is_uri, is_uri_reference

MINIMUM: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def refusal(**attributes: Any) -> InvalidCloudEvent:
    with pytest.raises(InvalidCloudEvent) as caught:
        check({**MINIMUM, **attributes})
    return caught.value


@pytest.mark.parametrize("name", sorted(MINIMUM))
def test_p8_required_attributes(name: str):
    with pytest.raises(InvalidCloudEvent, match=f"missing: {name}"):
        check({key: value for key, value in MINIMUM.items() if key != name})
    assert refusal(**{name: ""}).attribute == name
    for wrong in (0, 1, True, False, 1.5, [], {}, ["1"], {"a": 1}):
        assert refusal(**{name: wrong}).attribute == name


def test_all_missing_attributes_are_named():
    with pytest.raises(InvalidCloudEvent, match="missing: id, source, specversion, type"):
        check({"ext": "1"})


@pytest.mark.parametrize("version", ["0.3", "1.0.2", "1.1", "1", " 1.0", "9.9"])
def test_p8_one_specversion(version: str):
    assert refusal(specversion=version).attribute == "specversion"


@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_what_postgresql_indexes_is_short(name: str):
    check({**MINIMUM, name: "a" * 1024})
    assert "longer than 1024 bytes" in refusal(**{name: "a" * 1025}).reason
    if name != "source":
        check({**MINIMUM, name: "€" * 341})
        assert "longer than 1024 bytes" in refusal(**{name: "€" * 342}).reason


@pytest.mark.parametrize(
    "name", ["Foo", "foo-bar", "foo_bar", "foo.bar", "", "é", "foo ", "data", "data_base64", "٣"]
)
def test_p8_attribute_names(name: str):
    error = refusal(**{name: "x"})
    assert "attribute names" in error.reason
    assert error.attribute.isascii()


def test_p8_a_long_name_is_allowed():
    check({**MINIMUM, "a" * 60: "x"})


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1.5, 1.0, [], {}, b"x"])
def test_p8_values_of_no_type_are_refused(value: Any):
    assert refusal(ext=value).attribute == "ext"


@pytest.mark.parametrize(
    "value", [2**31 - 1, -(2**31), 0, True, False, "", "text", "\u202e", "\u200b", "😀", "e\u0301"]
)
def test_b11_values_of_the_type_system_are_kept(value: Any):
    attributes = {**MINIMUM, "ext": value}
    check(attributes)
    assert attributes["ext"] is value


@pytest.mark.parametrize(
    "letter", ["\x00", "\n", "\x1f", "\x7f", "\x85", "\x9f", "\ud800", "\ufdd0", "\uffff", "\U0001fffe"]
)
@pytest.mark.parametrize("name", ["id", "type", "subject", "ext"])
def test_b10_b11_forbidden_characters(name: str, letter: str):
    error = refusal(**{name: f"a{letter}b"})
    assert error.attribute == name
    assert letter not in error.reason


@pytest.mark.parametrize(
    "text",
    [
        "2018-04-05T17:31:00Z",
        "2018-04-05t17:31:00z",
        "2018-04-05T17:31:00.123456789Z",
        "2018-04-05T18:31:00+01:00",
        "2018-04-05T18:31:00-23:59",
        "2020-02-29T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "2016-12-31T23:59:60Z",
        "1990-12-31T15:59:60-08:00",
    ],
)
def test_b13_times(text: str):
    assert is_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2018-04-05",
        "2018-04-05T17:31Z",
        "2018-04-05T17:31:00",
        "2018-04-05 17:31:00Z",
        "2018-04-05T17:31:00 Z",
        "2018-04-05T17:31:00+01",
        "2018-04-05T17:31:00+0100",
        "2018-04-05T17:31:00+25:00",
        "2018-04-05T17:31:00+24:00",
        "2018-04-05T17:31:00+01:60",
        "2018-04-05T17:31:00.Z",
        "2018-04-05T17:31:60Z",
        "2018-04-05T17:60:00Z",
        "2018-04-05T24:00:00Z",
        "2018-13-05T17:31:00Z",
        "2018-02-30T17:31:00Z",
        "2019-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2018-W14-4T00:00:00Z",
        "2018-095T00:00:00Z",
        "20180405T173100Z",
        "1522949460",
        "٢٠١٨-04-05T17:31:00Z",
        "2018-04-05T17:31:00Z\n",
    ],
)
def test_b13_what_is_no_time(text: str):
    assert not is_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/cloudevents",
        "mailto:cncf-wg-serverless@lists.cncf.io",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "/cloudevents/spec/pull/123",
        "1-555-123-4567",
        "#fragment",
        "?query",
        "//authority/path",
        "../relative/path",
        "https://10.96.0.1:443",
        "http://[::1]:8080/a?b=c#d",
        "https://user:secret@host/%20",
        "/apis///namespaces/default//run-1",
        "a:b",
        "./1:2",
    ],
)
def test_uri_references(text: str):
    assert is_uri_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "a b",
        "http://a b/",
        "1a:b",
        "10.96.0.1:443",
        "/%",
        "/%zz",
        "http://[::1",
        "a\\b",
        "<a>",
        "é",
        "a#b#c",
        "[a]",
    ],
)
def test_what_is_no_uri_reference(text: str):
    assert not is_uri_reference(text)
    assert refusal(source=text).attribute == "source"


def test_tekton_sources_with_spaces_are_accepted():
    check({**MINIMUM, "source": "/apis///namespaces/default//mismatch size between Status.Steps"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a/b", True),
        ("urn:x", True),
        ("https://a/b#/c", True),
        ("/a", False),
        ("//a/b", False),
        ("a", False),
    ],
)
def test_dataschema_is_absolute(text: str, expected: bool):
    assert is_uri(text) is expected
    if not expected:
        assert refusal(dataschema=text).attribute == "dataschema"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("application/json", True),
        ("text/plain; charset=utf-8", True),
        ('multipart/form-data; boundary="a b\\"c"', True),
        ("a/b;", True),
        ("a/b ; c=d ; e=f", True),
        ("xyz", False),
        ("a/", False),
        ("/b", False),
        ("a/b/c", False),
        ("a/b; c", False),
        ("a /b", False),
        ('a/b; c="d', False),
    ],
)
def test_datacontenttype_is_a_media_type(text: str, expected: bool):
    assert is_media_type(text) is expected
    if not expected:
        assert refusal(datacontenttype=text).attribute == "datacontenttype"


@pytest.mark.parametrize(
    "attributes",
    [
        {"datacontenttype": "a/b" + ";  " * 50_000 + "\x01"},
        {"datacontenttype": 'a/b;c="' + "\\a" * 50_000},
        {"source": "http://" + "a:" * 500},
        {"dataschema": "http://" + "%20" * 50_000 + " "},
        {"dataschema": "a" * 100_000},
        {"time": "2018-04-05T17:31:00." + "0" * 100_000},
    ],
)
def test_no_value_takes_long_to_refuse(attributes: dict[str, Any]):
    began = time.perf_counter()
    refusal(**attributes)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (0, "0"), (-7, "-7"), ("x", "x")]
)
def test_canonical_strings(value: Any, text: str):
    assert canonical(value) == text

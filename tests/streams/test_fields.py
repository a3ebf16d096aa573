"""Reading payloads by dotted paths: what is there, what may be missing, and what is named when it is not."""

import pytest

from streams.fields import Fields
from streams.shapes import Unfit

TOLD = {
    "name": "checkout",
    "empty": "",
    "null": None,
    "number": 7,
    "truth": True,
    "list": [{"id": "a"}, {"id": 5}],
    "scalars": [1],
    "deep": {"er": {"name": "x", "at": "2021-04-28 21:50:00 +0200", "epoch": 1557933657}},
    "prose": "one\n  two\tthree " + "x" * 400,
    "uri": "https://example.com/a",
    "path": "/a",
}


@pytest.fixture
def told() -> Fields:
    return Fields(TOLD)


def test_what_is_there_is_read(told: Fields):
    assert told.text("deep.er.name") == told.within("deep.er").text("name") == "x"
    assert told.number("number") == 7
    assert told.flag("truth")
    assert told.uri("uri") == "https://example.com/a"
    assert told.instant("deep.er.at") == "2021-04-28T21:50:00+02:00"
    assert told.instant("deep.er.missing", "deep.er.epoch") == "2019-05-15T15:20:57Z"
    assert [item.find("id") for item in told.each("list")] == ["a", 5]
    assert told.words("prose").startswith("one two three xxx")
    assert len(told.words("prose")) == 256
    assert told.prose("prose") == TOLD["prose"]


def test_what_may_be_missing_is_none_when_it_cannot_be_used(told: Fields):
    for path in ("missing", "null", "empty", "number", "deep", "name.of", "list.0"):
        assert told.optional(path) is None, path
    assert told.optional_instant("name") is None
    assert told.words("number") is None
    assert told.prose("number") == ""
    assert not told.flag("number")
    assert list(told.each("missing")) == list(told.each("null")) == []


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda told: told.text("deep.er.missing"), "no field 'deep.er.missing'"),
        (lambda told: told.within("deep").text("er.missing"), "no field 'deep.er.missing'"),
        (lambda told: told.text("name.of"), "no field 'name.of'"),
        (lambda told: told.text("null"), "no field 'null'"),
        (lambda told: told.text("empty"), "no text in field 'empty'"),
        (lambda told: told.text("number"), "field 'number' is not text"),
        (lambda told: [item.text("id") for item in told.each("list")], "field 'list[1].id' is not text"),
        (lambda told: list(told.each("scalars")), "'scalars[0]' is not an object"),
        (lambda told: list(told.each("name")), "'name' is not a list"),
        (lambda told: told.number("truth"), "'truth' is not a whole number"),
        (lambda told: told.number("name"), "'name' is not a whole number"),
        (lambda told: told.uri("path"), "'path' is not a URI"),
        (lambda told: told.instant("name"), "'name': not a time with a zone"),
        (lambda told: told.instant("missing", "absent"), "no field 'missing'"),
        (lambda told: told.within("list"), "'list' is not an object"),
        (lambda _: Fields([]), "the data is not a JSON object"),
        (lambda _: Fields(None), "the data is not a JSON object"),
    ],
)
def test_what_must_be_there_is_named_by_its_path(told: Fields, read, says: str):
    with pytest.raises(Unfit) as unfit:
        read(told)
    assert str(unfit.value) == says

"""Names of persons: where they are found, and where they are not."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple

import orjson
import pytest

from deploy.actors import Actors
from deploy.nameless import cdevent_without
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from streams.facts import facts_of
from streams.sources import find_sources
from tests.sources.evidence import cases, play

ACTORS = Actors(["Mona", "mona@example.com", "José Weiß", "王伟"])
SAID = {
    "mona": "erased",
    " MONA ": "erased",
    "@mona": "erased",
    "mailto:Mona@example.com": "erased",
    "Mona L. Octocat <mona@example.com>": "erased <erased>",
    "Fix it\n\nCo-authored-by: Mona <123@users.example.com>": "Fix it\n\nCo-authored-by: erased <erased>",
    "Ann <a@example.com>, Mona <m@example.com>; Bob": "Ann <a@example.com>, erased <erased>; Bob",
    "thanks @mona, and 'Mona'": "thanks erased, and 'erased'",
    "write to mona@example.com.": "write to erased.",
    "Jose\u0301 Weiss": "erased",
    "王伟": "erased",
}
OTHERS = [
    "monalisa",
    "mona-bot",
    "mona lives here",
    "https://example.com/mona",
    "mona/hello-world",
    "jmona@example.com",
    "x@mona.example.com",
    "@mona-bot",
    "Ann <ann@example.com>",
    "",
]


@pytest.mark.parametrize("text", SAID)
def test_a_name_is_found_and_erased(text: str):
    assert ACTORS.name(text)
    assert ACTORS.erase(text) == SAID[text]
    assert not ACTORS.name(ACTORS.erase(text)), "a second look finds nothing"


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_contains_a_name_stays(text: str):
    assert not ACTORS.name(text)
    assert ACTORS.erase(text) == text


@pytest.mark.parametrize(
    "document",
    [
        '{"a": [1, {"b": [[{"login": "mona"}]]}]}',
        '{"login": "mona", "login": "bob"}',
        '{"reviews": {"mona": "approved"}}',
        '{"x": "\\u006dona"}',
        '{"x": "\\u738b\\u4f1f"}',
        json.dumps({"data": '{"sender":"mona"}'}),
        json.dumps({"data_base64": base64.b64encode(b"<login>Mona</login>").decode()}),
        json.dumps({"data_base64": base64.b64encode(b"user=mona%40example.com&n=1").decode()}),
        "[" * 100_000 + '"mona"' + "]" * 100_000,
    ],
    ids=str.__len__,
)
def test_a_name_is_found_at_any_depth_and_the_filter_in_sql_lets_it_through(document: str):
    assert ACTORS.in_document(document)
    parts = [pattern.strip("%").replace("\\\\", "\\").replace("\\_", "_") for pattern in ACTORS.patterns]
    assert any(part in document.lower() for part in parts)


def test_what_identifies_an_event_is_no_name():
    assert not ACTORS.in_document('{"source": "mona", "id": "mona", "data": {}}', ("source", "id"))
    assert ACTORS.in_document('{"source": "x", "data": {"id": "mona"}}', ("source", "id"))


def row_of(cdevent: CDEvent) -> dict[str, str]:
    return {
        "content": cdevent.to_json().decode(),
        "cause_source": cdevent.cause[0],
        "cause_id": cdevent.cause[1],
        "rule": cdevent.rule,
    }


def test_of_a_cdevent_only_names_go_and_no_fact():
    """`Codertocat` opened the ticket, and is also how a service could be called."""
    case = next(case for case in cases() if case.folder.name == "incident_opened" and case.source == "github")
    ticket, incident = (
        CDEvent(each, ("/s", "1")) for each in play(case, find_sources()["github"])["cdevents"]
    )
    actors = Actors(["codertocat"])
    erased = orjson.loads(cdevent_without(row_of(ticket), actors) or "")
    expected = orjson.loads(ticket.to_json())
    expected["subject"]["content"]["creator"] = "erased"
    assert erased == expected
    assert cdevent_without(row_of(incident), actors) is None
    service = orjson.loads(incident.to_json())
    service["customData"]["dora"]["service"] = "Codertocat"
    service["customData"]["opened"] = "codertocat"
    left = orjson.loads(cdevent_without(row_of(CDEvent(service, ("/s", "1"))), actors) or "")
    assert left["customData"]["dora"]["service"] == "Codertocat"
    assert left["customData"]["opened"] == "erased"


PEOPLE = {"login", "email", "username", "user_name", "user_username", "user_email"}


def people(document: object) -> set[str]:
    """Who is named in a payload: the members that name nobody but persons."""
    if isinstance(document, list):
        return set().union(*map(people, document)) if document else set()
    if not isinstance(document, dict):
        return set()
    here = {v.casefold() for k, v in document.items() if k.lower() in PEOPLE and isinstance(v, str) and v}
    return here.union(*map(people, document.values())) if document else here


def texts(value: object) -> Iterator[str]:
    """Every text of a fact."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


@pytest.mark.parametrize("source", ["github", "gitlab", "opsgenie"])
def test_facts_hold_no_names_of_persons(source: str):
    found = [case for case in cases() if case.source == source]
    named = set().union(*(people(event.data) for case in found for event in case.events() if event.is_json))
    assert named, "the evidence names people"
    for case in found:
        for document in play(case, find_sources()[source])["cdevents"]:
            for fact in facts_of(CDEvent(document, ("/s", "1")), Catalog.empty()):
                assert not {text.casefold() for text in texts(astuple(fact))} & named, case

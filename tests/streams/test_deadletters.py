"""Dead letters: the original bytes and headers, the reason beside them, and one identity for all tellings."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.deadletters import CONFLICT, FOREIGN, DeadLetter, Kept, about_of, header_rows, hopeless
from streams.records import REDRIVE, Arrival, Outgoing, Redrive, arrival_of, generation_of
from streams.sinks import deadletters as sink

AT = datetime(2026, 3, 5, 10, tzinfo=UTC)
ARRIVAL = Arrival("in", 3, 41, AT, b"k", b"v", [("a", b"1"), ("x", None)], {})
LETTER = DeadLetter(ARRIVAL, "call", "function http://f: answered 503", attempts=4)
NAMES = (
    "stage",
    "reason",
    "attempts",
    "source",
    "id",
    "type",
    "key",
    "value",
    "headers",
    "topic",
    "partition",
    "offset",
    "arrived_at",
    "identity",
    "failed_at",
    "generation",
    "rule",
)


def arrived(sent: Outgoing, *, internal_topic: bool = False) -> Arrival:
    """The record as the stage reads it that stores dead letters."""
    message = SimpleNamespace(
        topic=sent.topic,
        partition=0,
        offset=9,
        timestamp=1.0,
        key=sent.key,
        value=sent.value,
        headers=sent.headers,
    )
    return arrival_of(message, internal_topic=internal_topic)


def row(letter: DeadLetter) -> dict[str, object]:
    return dict(zip(NAMES, sink._row(arrived(letter.to_record("deadletters", 1)), 1), strict=True))


def test_the_record_carries_the_original_and_what_is_known_of_the_failure():
    sent = LETTER.to_record("deadletters", 2)
    assert (sent.topic, sent.key, sent.value) == ("deadletters", b"k", b"v")
    assert sent.headers[:2] == ARRIVAL.headers
    assert about_of(sent.headers) == {
        "identity": LETTER.identity.hex(),
        "stage": "call",
        "reason": "function http://f: answered 503",
        "attempts": "4",
        "topic": "in",
        "partition": "3",
        "offset": "41",
        "time": "2026-03-05T10:00:00+00:00",
    }
    assert generation_of(sent.headers) == 2


def test_a_record_of_nothing_at_all_can_be_sent():
    """aiokafka refuses a record with neither key nor value; Kafka does not, so one may have come in."""
    nothing = DeadLetter(replace(ARRIVAL, key=None, value=None), "read", "not a CloudEvent")
    sent = nothing.to_record("deadletters", 1)
    assert (sent.key, sent.value) == (b"", None)


def test_the_identity_is_stage_place_and_value():
    assert replace(LETTER, reason="another", attempts=1).identity == LETTER.identity
    assert replace(LETTER, stage="read").identity != LETTER.identity
    for change in ({"topic": "t"}, {"partition": 4}, {"offset": 42}, {"value": b"w"}):
        assert replace(LETTER, arrival=replace(ARRIVAL, **change)).identity != LETTER.identity


def test_the_row_is_the_letter_again():
    found = row(LETTER)
    assert (found["stage"], found["reason"], found["attempts"]) == ("call", LETTER.reason, 4)
    assert (found["key"], found["value"], found["topic"], found["partition"]) == (b"k", b"v", "in", 3)
    assert json.loads(str(found["headers"])) == [["a", "MQ=="], ["x", None]]
    assert found["identity"] == LETTER.identity
    assert (found["arrived_at"], found["failed_at"]) == (AT, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))


def test_an_event_is_named_when_the_record_holds_one():
    minimum = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_type", b"t"), ("ce_source", b"/s")]
    found = row(replace(LETTER, arrival=replace(ARRIVAL, headers=minimum)))
    assert (found["source"], found["id"], found["type"]) == ("/s", "1", "t")
    assert row(LETTER)["source"] is None


def test_headers_that_look_like_ours_do_not_change_the_row():
    forged = [("deadletter-stage", b"x"), ("deadletter-offset", b"9999"), ("dora-generation", b"7")]
    found = row(replace(LETTER, arrival=replace(ARRIVAL, headers=forged)))
    assert (found["stage"], found["topic"]) == ("call", "in")


@given(st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4))
def test_any_headers_become_json_that_postgresql_takes(headers):
    text = json.dumps(header_rows(headers))
    assert "\\u0000" not in text
    assert len(header_rows(headers)) == len(headers)


@pytest.mark.parametrize("about", ["", "x", "99999999999999999999", "-5", "\N{SUPERSCRIPT TWO}"])
def test_a_letter_that_somebody_else_wrote_still_fits_the_columns(about):
    told = ("attempts", "partition", "offset", "time", "identity", "rule")
    headers = [(f"deadletter-{name}", about.encode()) for name in told]
    arrival = Arrival("deadletters", 0, 9, AT, None, b"v", headers, {})
    found = sink._row(arrival, 1)
    assert 0 <= int(str(found[2])) < 2**31
    assert 0 <= int(str(found[10])) < 2**31
    assert 0 <= int(str(found[11])) < 2**63
    assert len(bytes(found[sink.IDENTITY])) == 32


REDRIVEN = replace(ARRIVAL, internal={REDRIVE: Redrive(b"i" * 32, 3, "call").mark})


def test_a_redrive_that_fails_is_the_same_dead_letter_with_the_attempts_of_both():
    found = row(DeadLetter(REDRIVEN, "observe", "no", attempts=2))
    assert (found["identity"], found["attempts"], found["stage"]) == (b"i" * 32, 5, "observe")


KEPT = Kept(
    b"i" * 32, 3, "call", "no", "", b"k", b"v", json.dumps(header_rows(ARRIVAL.headers)), "in", 3, 41, AT
)


def test_a_redrive_is_the_original_record_as_it_first_arrived():
    again = arrived(KEPT.again("replay", 2), internal_topic=True)
    assert replace(again, internal={}) == ARRIVAL
    assert again.redrive == Redrive(b"i" * 32, 3, "call")


def test_on_a_topic_that_anybody_writes_a_mark_is_nothing():
    again = arrived(KEPT.again("replay", 2))
    assert (again.topic, again.internal, again.redrive) == ("replay", {}, None)
    assert again.headers == ARRIVAL.headers


def test_a_redriven_cdevent_is_marked_as_its_stages_write_it():
    sent = replace(KEPT, stage="record", rule="github").again("cdevents", 4)
    assert generation_of(sent.headers) == 4
    assert ("dora-rule", b"github") in sent.headers


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Authorization", False),
        ("proxy-authorization", False),
        ("Cookie", False),
        ("x-gitlab-token", False),
        ("X-Hub-Signature-256", False),
        ("x-api-key", False),
        ("webhook-secret", False),
        ("content-type", True),
        ("traceparent", True),
        ("ce_token", True),
        ("x-b3-traceid", True),
    ],
)
def test_a_dead_letter_keeps_no_credential_that_a_producer_copied(name, kept):
    letter = replace(LETTER, arrival=replace(ARRIVAL, headers=[(name, b"s3cret")]))
    on_topic = dict(letter.to_record("d", 1).headers)[name]
    stored = header_rows(letter.arrival.headers)
    assert (on_topic == b"s3cret") is kept
    assert (stored == [[name, "czNjcmV0"]]) is kept
    assert len(stored) == 1


def test_what_can_never_succeed_says_why():
    assert "another event" in str(hopeless("transform", CONFLICT))
    assert "POST /cdevents" in str(hopeless("record", FOREIGN))
    assert hopeless("transform", "ZeroDivisionError in stage transform") is None
    assert hopeless("record", CONFLICT + "!") is None

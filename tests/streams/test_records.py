"""Records on their way between the stages: where an event first arrived is kept, and nobody can forge it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records import GENERATION, INTERNAL, Arrival, arrival_of, generation_of

AT = datetime(2026, 3, 5, 10, 0, 0, 123_000, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

headers = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=9).filter(lambda n: n not in INTERNAL), st.none() | st.binary(max_size=9)
    ),
    max_size=4,
)


def message(**fields: Any) -> Any:
    """A consumed message as Faust hands it over."""
    return SimpleNamespace(
        **{
            "topic": "in",
            "partition": 3,
            "offset": 41,
            "timestamp": AT.timestamp(),
            "key": b"k",
            "value": b"v",
            "headers": [],
            **fields,
        }
    )


def test_an_arrival_is_the_record_as_it_came():
    arrival = arrival_of(message(headers=[("a", b"1"), ("a", None)]), internal_topic=False)
    assert arrival == Arrival("in", 3, 41, AT, b"k", b"v", [("a", b"1"), ("a", None)], {})


def test_headers_may_be_missing():
    assert arrival_of(message(headers=None), internal_topic=False).headers == []


@given(headers, st.none() | st.binary(max_size=5), st.none() | st.binary(max_size=5))
def test_a_forwarded_record_arrives_where_it_first_did(original, key, value):
    first = arrival_of(message(headers=original, key=key, value=value), internal_topic=False)
    sent = first.forward("observations", b"uid", 2, source="kubernetes")
    again = arrival_of(
        message(
            topic=sent.topic, partition=0, offset=7, timestamp=1.0, value=sent.value, headers=sent.headers
        ),
        internal_topic=True,
    )
    assert (again.topic, again.partition, again.offset, again.at) == ("in", 3, 41, AT)
    assert (again.value, again.headers) == (first.value, first.headers)
    assert again.internal["dora-source"] == "kubernetes"
    assert generation_of(sent.headers) == 2


def test_marks_from_outside_are_taken_off_and_not_believed():
    forged = [
        ("dora-origin", b"0 0 0 other"),
        ("dora-generation", b"9"),
        ("dora-targets", b"http://x"),
        ("a", b"1"),
    ]
    arrival = arrival_of(message(headers=forged), internal_topic=False)
    assert (arrival.topic, arrival.partition, arrival.offset) == ("in", 3, 41)
    assert arrival.headers == [("a", b"1")]
    assert arrival.internal == {}


@pytest.mark.parametrize(
    "origin",
    [
        b"",
        b"\xff",
        b"1 2 3",
        b"x y z t",
        b"1 2 99999999999999999999 t",
        b"-1 -1 -1 t",
        b"1 2 3 ",
        None,
        b"1  2 t",
    ],
)
def test_an_internal_record_that_somebody_else_wrote_arrived_where_it_is(origin):
    """The guard has to be able to bury it."""
    arrival = arrival_of(message(headers=[("dora-origin", origin)]), internal_topic=True)
    assert (arrival.topic, arrival.partition, arrival.offset, arrival.at) == ("in", 3, 41, AT)


@pytest.mark.parametrize("timestamp", [None, -0.001, 0, 1e18, float("nan")])
def test_a_record_without_a_usable_time_arrived_at_some_time(timestamp):
    """Producers set timestamps, and brokers need not check them."""
    assert arrival_of(message(timestamp=timestamp), internal_topic=False).at.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "generation"),
    [(b"1", 1), (b"12", 12), (b"", None), (b"-1", None), (b"x", None), ("²".encode(), None), (None, None)],
)
def test_only_digits_name_a_generation(value, generation):
    assert generation_of([("other", b"7"), (GENERATION, value)]) == generation
    assert generation_of(None) is None


@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "ce_traceparent"])
def test_the_trace_context_is_found_under_both_names(name):
    assert arrival_of(message(headers=[(name, TRACE.encode())]), internal_topic=False).traceparent == TRACE


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x00abc",
        b"x" * 100,
        TRACE.encode()[:-1],
        TRACE.upper().encode(),
        b"\xff" + TRACE.encode(),
    ],
)
def test_what_is_no_trace_context_is_left_out(value):
    """It would go into a column, a Kafka header and an attribute, which do not take everything."""
    assert arrival_of(message(headers=[("traceparent", value)]), internal_topic=False).traceparent is None


def test_a_trace_context_of_a_later_version_keeps_what_is_known_of_it():
    later = f"01{TRACE[2:]}-what-will-be"
    assert (
        arrival_of(message(headers=[("traceparent", later.encode())]), internal_topic=False).traceparent
        == f"01{TRACE[2:]}"
    )

"""What is told of the future, or of a time before all sources, counts nowhere."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.instant import SKEW
from streams.facts.changes import change_of
from streams.facts.incidents import incident_of
from streams.router import Decision, Fate
from streams.skew import believed, fault_in, placeable

RECEIVED = datetime(2026, 7, 1, 12, tzinfo=UTC)


def told(timestamp: str, kind: str = "service.deployed", **content: object) -> CDEvent:
    context = {"specversion": "0.5.1", "id": "1", "source": "/s", "type": f"dev.cdevents.{kind}.0.3.0"}
    document = {"context": context | {"timestamp": timestamp}, "subject": {"id": "a", "content": content}}
    return CDEvent(document, ("/s", "1"))


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-07-01T12:00:00Z",
        "2026-07-01T12:10:00Z",  # as far as clocks may differ
        "2026-07-01T14:00:00+02:00",
        "2016-07-01T12:00:00Z",  # ten years past
        "2016-12-31T23:59:60Z",
        "1990-01-01T00:00:00Z",
        "2026-07-01T12:00:00.123456789Z",
    ],
)
def test_b13_times_that_can_be(timestamp: str):
    fate = Fate("mapped", None, "r", (told(timestamp),))
    assert placeable(fate, RECEIVED) is fate


@pytest.mark.parametrize(
    ("timestamp", "why"),
    [
        ("2026-07-01T12:10:01Z", "after its arrival"),
        ("2028-07-01T12:00:00Z", "after its arrival"),  # two years in the future
        ("9999-12-31T23:59:59Z", "after its arrival"),
        ("9999-12-31T23:59:59-23:59", "not a time of the calendar"),
        ("0001-01-01T00:00:00Z", "before 1990"),
        ("0001-01-01T00:00:00+23:59", "not a time of the calendar"),
        ("1989-12-31T23:59:59Z", "before 1990"),
        ("2026-07-01T12:00:00", "not an RFC 3339 time with a zone"),
        ("1767225600", "not an RFC 3339 time with a zone"),
    ],
)
def test_b13_times_that_cannot_be_are_quarantined_with_a_reason(timestamp: str, why: str):
    good = told("2026-07-01T11:00:00Z")
    fate = placeable(Fate("mapped", None, "r", (good, told(timestamp), good)), RECEIVED)
    assert (fate.fate, fate.cdevents, fate.rule) == ("unmapped", (), "r")
    assert why in fate.reason
    assert believed(Decision(Fate("mapped", None, "r", (told(timestamp),))), RECEIVED).fate.fate == "unmapped"


def test_b13_what_is_settled_later_is_looked_at_later():
    decision = Decision(None, observations=(("uid", "kubernetes"),))
    assert believed(decision, RECEIVED) is decision


def test_b13_the_measure_is_the_arrival_so_that_a_replay_says_the_same():
    assert fault_in("2026-07-01T12:10:00Z", RECEIVED) is None
    assert fault_in("2026-07-01T12:10:00Z", RECEIVED - timedelta(seconds=1)) is not None
    assert timedelta(minutes=10) == SKEW


def test_b13_a_commit_is_not_made_after_it_was_pushed_nor_an_incident_detected_after_its_end():
    pushed = told("2026-07-01T12:00:00Z", branch="main", order=0, committedAt="2031-01-01T00:00:00Z")
    pushed.document["context"]["type"] = "dev.cdeventsx.dora-commit.pushed.0.1.0"
    change = change_of(pushed)
    assert change.committed_at is None
    assert change.pushed_at == RECEIVED
    resolved = told("2026-07-01T12:00:00Z", "incident.resolved")
    resolved.document["customData"] = {"dora": {"detected_at": "2027-01-01T00:00:00Z"}}
    incident = incident_of(resolved, Catalog.empty())
    assert incident.detected_at is None
    assert incident.resolved_at == RECEIVED

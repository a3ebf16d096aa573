"""Payloads of other systems change, and anybody may send one: no payload makes a source raise.

Recorded payloads are damaged in random places. Whatever they become is Mapped, Ignored or Unmapped, and every
CDEvent is valid: an invalid one would have been a dead letter.
"""

import copy
import json
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.cdevents.validate import errors_of
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from streams.source import Source
from tests.sources.evidence import cases
from tests.sources.payloads import RECORDS, Payload, claimants, event_of, fate_of, payloads, sources
from tests.sources.record import golden_of

# What a field may hold instead: other types, ends of ranges, and text that breaks whoever trusts it.
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53, 2**63, -(2**63), 2**64, 10**400, 0.5, -1e308,
    "", " ", "0", "null", "x" * 257, "x" * 2049, "é" * 70_000, "\0", "a\0b", "\x1b[31m", "a\nb", "\u202e",
    "\ufffe", "\ud800", "../../etc/passwd", "%00", "https://", "http://[", "__class__", "__proto__", "{}",
    "0" * 40, "f" * 40, "2024-01-01", "2024-01-01T00:00:00", "0000-00-00T00:00:00Z", "2024-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "1e400", "NaN",
    [], {}, [[]], [None], [{}], {"": None}, {"name": {"name": []}}, ["x"] * 3000,
)  # fmt: skip


REMOVED = object()


def nested(levels: int) -> bytes:
    return b'{"a":[' * levels + b"1" + b"]}" * levels


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all members and items."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        found += [(*path, name), *places(inner, (*path, name))]
    return found


def damaged(value: Any, random: Random) -> Any:
    """``value`` with one to four members or items removed, replaced, or put elsewhere."""
    result = copy.deepcopy(value)
    for _ in range(random.randint(1, 4)):
        found = places(result)
        if not found:
            break
        # Most fields that matter are near the top.
        path = random.choice(sorted(found, key=len)[:60] if random.random() < 0.5 else found)
        holder = at_place(result, path)
        match random.choice(("remove", "replace", "replace", "exchange")):
            case "remove":
                del holder[path[-1]]
            case "replace":
                holder[path[-1]] = copy.deepcopy(random.choice(HOSTILE))
            case "exchange":
                holder[path[-1]] = at(value, random.choice(found))
    return result


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What was at a path; nothing where there is none."""
    for name in path:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return copy.deepcopy(value)


def hold(payload: Payload, body: bytes) -> None:
    """Whatever ``body`` is, the outcome is one of three, and its CDEvents are valid."""
    try:
        event = event_of(payload, body)
    except InvalidCloudEvent:
        return
    check(dict(event.attributes))
    for source in claimants(event):
        settle(event, source)


def settle(event: CloudEvent, source: Source) -> None:
    fate = fate_of(event, source)
    assert fate.fate in ("mapped", "ignored", "unmapped"), fate.reason
    assert fate.reason or fate.fate == "mapped"
    for cdevent in fate.cdevents:
        assert errors_of(cdevent.document) == []


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


JSON_PAYLOADS = [payload for payload in payloads() if payload.tool != RECORDS]
# Those that become CDEvents: their fields are read, and of others hardly more than the type.
TELLING = {
    payload
    for payload in JSON_PAYLOADS
    if any(golden_of(name).get(payload.path, {}).get("outcome") == "mapped" for name in sources())
}
EVIDENCE: dict[str, list[CloudEvent]] = {}
for case in cases():
    if case.expected["outcome"] != "unmapped":
        EVIDENCE.setdefault(case.source, []).extend(case.events())
TOOLS = sorted({payload.tool for payload in JSON_PAYLOADS})


@pytest.mark.parametrize("tool", TOOLS)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(random=st.randoms(use_true_random=False))
def test_a_damaged_payload_raises_nothing_and_makes_nothing_invalid(tool: str, random: Random):
    of_tool = [payload for payload in JSON_PAYLOADS if payload.tool == tool]
    telling = [payload for payload in of_tool if payload in TELLING]
    payload = random.choice(telling if telling and random.random() < 0.8 else of_tool)
    hold(payload, written(damaged(json.loads(payload.body), random)))


@pytest.mark.parametrize("name", sorted(sources()))
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(random=st.randoms(use_true_random=False))
def test_damaged_evidence_raises_nothing_and_makes_nothing_invalid(name: str, random: Random):
    event = random.choice(EVIDENCE[name])
    settle(CloudEvent(event.attributes, written(damaged(event.data, random))), sources()[name])


def one_of_each_event() -> list[Payload]:
    told = [payload for payload in JSON_PAYLOADS if payload in TELLING]
    return list({(payload.tool, payload.event): payload for payload in told}.values())


@pytest.mark.parametrize("payload", one_of_each_event(), ids=str)
def test_a_payload_without_one_of_its_members_raises_nothing(payload: Payload):
    """Each member of the first two levels removed, and replaced by what a field hardly ever is."""
    whole = orjson.loads(payload.body)
    for path in [path for path in places(whole) if len(path) <= 2]:
        for replacement in (REMOVED, None, 7, "\0", [], {"a": 1}, "x" * 3000):
            changed = orjson.loads(payload.body)
            holder = at_place(changed, path)
            if replacement is REMOVED:
                del holder[path[-1]]
            else:
                holder[path[-1]] = replacement
            hold(payload, orjson.dumps(changed))


def at_place(value: Any, path: tuple[str | int, ...]) -> Any:
    for name in path[:-1]:
        value = value[name]
    return value


@pytest.mark.parametrize("payload", one_of_each_event(), ids=str)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"{}", b'"x"', b"1e999", b"\xff\xfe", nested(400), nested(510), nested(9000)],
    ids=range(11),
)
def test_a_body_that_is_nothing_of_the_kind_raises_nothing(payload: Payload, body: bytes):
    hold(payload, body)


@pytest.mark.parametrize("name", sorted(sources()))
def test_attributes_alone_raise_nothing(name: str):
    """A source may be named in a routes map for any type, so its handlers meet any event."""
    source = sources()[name]
    kinds = [*source.types, *(prefix + kind for prefix in source.prefixes for kind in source._handlers)]
    for kind in kinds:
        for data in (None, b"null", b"[]", b"{}", b'{"action": []}', b"7"):
            attributes = {
                "specversion": "1.0",
                "id": "1",
                "source": "/s",
                "type": kind,
                "time": "2026-01-01T00:00:00Z",
            }
            fate = fate_of(CloudEvent(attributes, data), source)
            assert fate.fate in ("mapped", "ignored", "unmapped")

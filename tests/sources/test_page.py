"""docs/sources.md is what the code says, and nothing comes out that it does not say."""

import re
from functools import cache

import pytest

from schemas.cdevents.versions import split_type
from schemas.cloudevents.event import CloudEvent
from streams.router import Fate
from streams.source import Source
from tests.sources.page import NATIVE, PAGE, Rule, rules_of, write_page
from tests.sources.payloads import Payload, claimants, event_of, fate_of, payloads, sources
from tests.sources.reach import ANYTHING

# What the end of a message says is left to nobody's rule: a field that it lacks, a shape that is not its own.
UNREADABLE = re.compile(
    r".*(no field|field '|is not|no text|unexpected shape|data is|has a control).*", re.DOTALL
)


@cache
def rules(name: str) -> dict[str, Rule]:
    return {kind: rule for rule in rules_of(sources()[name]) for kind in rule.kinds}


def rule_of(event: CloudEvent, source: Source) -> Rule | None:
    kind, handler = source._handler(event.type)
    return None if handler is None else rules(source.name)[kind if kind in rules(source.name) else "*"]


def is_told(reason: str, reasons: list[str]) -> bool:
    patterns = (".*".join(map(re.escape, each.split(ANYTHING))) for each in reasons)
    return any(re.fullmatch(pattern, reason, re.DOTALL) for pattern in patterns)


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == write_page(), "python -m tests.sources.page"


@pytest.mark.parametrize("payload", payloads(), ids=str)
def test_what_a_recorded_payload_becomes_is_on_the_page(payload: Payload):
    event = event_of(payload)
    for source in claimants(event):
        hold(fate_of(event, source), rule_of(event, source), source.name)


def hold(fate: Fate, rule: Rule | None, name: str) -> None:
    if rule is None:
        assert fate.fate == "unmapped"
        return
    if name not in NATIVE:
        assert {f"`{split_type(each.type)[0]}`" for each in fate.cdevents} <= set(rule.cdevents)
    if fate.fate == "ignored":
        assert is_told(fate.reason or "", rule.ignored)
    if fate.fate == "unmapped":
        assert is_told(fate.reason or "", rule.unmapped) or UNREADABLE.fullmatch(fate.reason or "")


def test_every_event_with_a_rule_is_on_the_page():
    page = PAGE.read_text()
    kinds = {kind for source in sources().values() for kind in source._handlers}
    assert {kind for kind in kinds if f"`{kind}`" not in page} == set()

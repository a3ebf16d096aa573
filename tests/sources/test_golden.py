"""Every recorded payload becomes what was reviewed, and the facts that were written down by hand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.cdevents.event import CDEvent
from schemas.instant import parse_instant
from tests.sources.payloads import Payload, claimants, event_of, fate_of, payloads, sources, summary
from tests.sources.record import golden_of

ROOT = Path(__file__).parent

# What the metrics count: these must be told by hand too, from the provider's documentation.
COUNTED = ("service.", "incident.", "dora-", "change.merged")
FACTS = ("service", "environment", "commit", "deploy_id")


@pytest.mark.parametrize("payload", payloads(), ids=str)
def test_a_recorded_payload_becomes_what_was_reviewed(payload: Payload):
    event = event_of(payload)
    sources = claimants(event)
    assert sources, f"no source claims {event.type}"
    for source in sources:
        told = summary(fate_of(event, source))
        assert told["outcome"] in ("mapped", "ignored", "unmapped"), told
        assert told == golden_of(source.name).get(payload.path), (
            "python -m tests.sources.record, and review it"
        )


def test_golden_files_hold_nothing_else():
    paths = {payload.path for payload in payloads()}
    for source in sources():
        assert golden_of(source).keys() <= paths


def facts_of(source: str) -> dict[str, list[dict[str, Any]]]:
    """Path to the facts of each counted CDEvent, in order; ``time`` is RFC 3339."""
    file = ROOT / source / "facts.yaml"
    # BaseLoader: a time stays the text that it is, and so does a hash that looks like a number.
    return yaml.load(file.read_text(), Loader=yaml.BaseLoader) if file.exists() else {}  # noqa: S506


@pytest.mark.parametrize("payload", payloads(), ids=str)
def test_a_recorded_payload_tells_the_facts_that_were_written_by_hand(payload: Payload):
    event = event_of(payload)
    for source in claimants(event):
        told = [facts(cdevent) for cdevent in fate_of(event, source).cdevents if is_counted(cdevent)]
        expected = facts_of(source.name).get(payload.path, [])
        assert told == [{**fact, "time": parse_instant(fact["time"])} for fact in expected], (
            f"tests/sources/{source.name}/facts.yaml: write down what the provider's documentation says"
        )


def test_facts_are_about_recorded_payloads():
    paths = {payload.path for payload in payloads()}
    for source in sources():
        assert facts_of(source).keys() <= paths


def is_counted(cdevent: CDEvent) -> bool:
    """Whether metrics are made of it."""
    return named(cdevent).startswith(COUNTED)


def named(cdevent: CDEvent) -> str:
    """As ``service.deployed``."""
    return ".".join(cdevent.type.split(".")[2:4])


def facts(cdevent: CDEvent) -> dict[str, Any]:
    """What DORA needs of it, in the form of ``facts.yaml``."""
    known = {name: cdevent.dora[name] for name in FACTS if name in cdevent.dora}
    return {"type": named(cdevent), "time": parse_instant(cdevent.timestamp), **known}

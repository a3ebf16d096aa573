"""Every source is held to its recorded evidence, and there is no source without."""

import json
import pkgutil

import pytest

import streams.transformers
from streams.sources import find_sources
from tests.sources.evidence import Case, cases, play

SOURCES = find_sources()
CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_payload_becomes_what_was_reviewed(case: Case):
    assert play(case, SOURCES[case.source]) == case.expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_payload_reaches_its_source_without_a_routes_map(case: Case):
    assert all(SOURCES[case.source].claims(event.type) for event in case.events())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_same_payload_becomes_the_same_twice(case: Case):
    source = SOURCES[case.source]
    assert json.dumps(play(case, source)) == json.dumps(play(case, source))


@pytest.mark.parametrize(
    "module", [info.name for info in pkgutil.iter_modules(streams.transformers.__path__)]
)
def test_every_transformer_offers_a_source_with_evidence(module: str):
    source = getattr(__import__(f"streams.transformers.{module}", fromlist=["source"]), "source", None)
    assert source is not None, f"streams/transformers/{module}.py has no `source`"
    evidence = [case for case in CASES if case.source == source.name]
    assert evidence, f"put what {source.name} really sends into tests/sources/{source.name}/<case>/"
    assert any(case.expected["outcome"] == "mapped" for case in evidence), f"{source.name}: nothing is mapped"


def test_evidence_belongs_to_a_source():
    assert {case.source for case in CASES} <= set(SOURCES)

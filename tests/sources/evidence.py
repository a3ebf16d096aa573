"""Recorded evidence: what a source sent, and what it must become.

A case is a folder ``tests/sources/<source>/<...>`` with

* ``headers.json``, a list of [name, value], and ``body.json``: the request as it was sent; or, of a source
  that remembers, ``requests.jsonl``, one ``{"headers": [[name, value]], "body": "text"}`` a line, in order;
* ``expected.json``: ``{"outcome": "mapped|ignored|unmapped", "reason": ..., "cdevents": [...]}``, reviewed by
  a person. Of several requests: the strongest outcome, its reason from the last that had it, all CDEvents;
* ``catalog.yaml``, if the case needs one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import read_message
from streams.outcome import Observed
from streams.router import PRECEDENCE, Fate, settle
from streams.source import Source

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One folder of evidence."""

    folder: Path

    def __str__(self) -> str:
        return self.folder.relative_to(ROOT).as_posix()

    @property
    def source(self) -> str:
        """The name of the source, which is the folder directly below this one."""
        return self.folder.relative_to(ROOT).parts[0]

    @property
    def expected(self) -> Any:
        return json.loads((self.folder / "expected.json").read_text())

    @property
    def catalog(self) -> Catalog:
        file = self.folder / "catalog.yaml"
        return Catalog.parse(file.read_text()) if file.exists() else Catalog.empty()

    def events(self) -> Iterator[CloudEvent]:
        """The CloudEvents that the requests carried."""
        for headers, body in self._requests():
            lowered = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            yield from read_message(lowered, body).events

    def _requests(self) -> Iterator[tuple[list[list[str]], bytes]]:
        recorded = self.folder / "requests.jsonl"
        if recorded.exists():
            for line in recorded.read_text().splitlines():
                request = json.loads(line)
                yield request["headers"], request["body"].encode()
        else:
            headers = json.loads((self.folder / "headers.json").read_text())
            yield headers, (self.folder / "body.json").read_bytes()


def cases() -> list[Case]:
    """Every case of every source."""
    return [Case(file.parent) for file in sorted(ROOT.rglob("expected.json"))]


def play(case: Case, source: Source) -> dict[str, Any]:
    """What the requests of ``case`` become, in the form of ``expected.json``."""
    states: dict[str, Any] = {}
    fates = [_settled(event, source, case.catalog, states) for event in case.events()]
    strongest = min((fate.fate for fate in fates), key=PRECEDENCE.index)
    return {
        "outcome": strongest,
        "reason": [fate.reason for fate in fates if fate.fate == strongest][-1],
        "cdevents": [orjson.loads(cdevent.to_json()) for fate in fates for cdevent in fate.cdevents],
    }


def _settled(event: CloudEvent, source: Source, catalog: Catalog, states: dict[str, Any]) -> Fate:
    outcome = source.transform(event, catalog)
    if isinstance(outcome, Observed):
        assert source.fold is not None, f"{source.name} observes, and has no fold"
        key = outcome.key
        state, outcome = source.fold(states.get(key), outcome, catalog)
        states[key] = orjson.loads(orjson.dumps(state))  # between two events it is stored as JSON
    return settle(outcome, rule=source.name, event=event)

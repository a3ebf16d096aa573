"""Evidence of a source: folders with what it sent and what that must become (docs/adding-a-source.md).

A case is a folder with

* ``headers.json``, a list of [name, value], and ``body.json``: the request as it was sent, with
  ``[":path", "/webhooks/NAME"]`` among the headers if it went to a provider's own web hook; or
  ``requests.jsonl``, one ``{"headers": [[name, value]], "body": "text"}`` a line, in order, with
  ``"path": "/webhooks/NAME"`` for a provider's own web hook;
* ``expected.json``: ``{"outcome": "mapped|ignored|unmapped", "reason": ..., "cdevents": [...]}``, reviewed by
  a person. Of several requests: the strongest outcome, its reason from the last that had it, all CDEvents;
* ``catalog.yaml``, if the case needs one.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ingress.providers import find_providers
from ingress.webhooks.provider import WebhookRequest
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.http import read_message
from streams.outcome import Observed
from streams.router import PRECEDENCE, Fate, settle
from streams.source import Source

WEBHOOKS = "/webhooks/"
Headers = Iterable[tuple[str, str]]

# 2026-01-01: when a recorded web hook counts as received, so that the same comes out on every day.
RECEIVED = 1_767_225_600.0


class NoEvidence(ValueError):
    """There is nothing to play; the message says what was looked for."""


@dataclass(frozen=True)
class Case:
    """One folder of evidence."""

    folder: Path

    @property
    def expected(self) -> Any:
        """What it must become; ``None`` when nobody has said yet."""
        file = self.folder / "expected.json"
        return json.loads(file.read_text()) if file.exists() else None

    @property
    def catalog(self) -> Catalog:
        """The catalog of the case."""
        file = self.folder / "catalog.yaml"
        return Catalog.load(file) if file.exists() else Catalog.empty()

    def events(self) -> Iterator[CloudEvent]:
        """The CloudEvents that the requests carried."""
        for path, headers, body in self._requests():
            yield from events_of(path, headers, body)

    def _requests(self) -> Iterator[tuple[str, list[tuple[str, str]], bytes]]:
        recorded = self.folder / "requests.jsonl"
        if recorded.exists():
            for line in recorded.read_text().splitlines():
                request = json.loads(line)
                yield request.get("path", "/"), request["headers"], request["body"].encode()
        else:
            headers = json.loads((self.folder / "headers.json").read_text())
            path = next((value for name, value in headers if name == ":path"), "/")
            fields = [(name, value) for name, value in headers if name != ":path"]
            yield path, fields, (self.folder / "body.json").read_bytes()


def cases_below(folder: Path) -> list[Case]:
    """Every case in ``folder``, which may be one itself. Raises ``NoEvidence`` when there is none."""
    files = [*folder.rglob("body.json"), *folder.rglob("requests.jsonl")]
    if not files:
        raise NoEvidence(
            f"{folder}: no case of evidence, which has headers.json and body.json, or requests.jsonl"
        )
    return [Case(place) for place in sorted({file.parent for file in files})]


def events_of(path: str, headers: Headers, body: bytes) -> list[CloudEvent]:
    """The events that a request to ``path`` carries; who sent a web hook is not checked.

    Raises ``InvalidCloudEvent`` with the reason for which the ingress would refuse it.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    if not path.startswith(WEBHOOKS):
        return read_message(
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lowered], body
        ).events
    provider = find_providers().get(path.removeprefix(WEBHOOKS))
    if provider is None:
        raise InvalidCloudEvent(f"there is no web hook at {path}")
    return [provider.translate(WebhookRequest(dict(lowered), body, RECEIVED))]


def play(case: Case, source: Source) -> dict[str, Any]:
    """What the requests of ``case`` become, in the form of ``expected.json``."""
    return told(fates(case.events(), source, case.catalog))


def fates(events: Iterable[CloudEvent], source: Source, catalog: Catalog) -> list[Fate]:
    """What ``source`` makes of each of ``events``, in order, beginning with an empty memory."""
    states: dict[str, Any] = {}
    return [_settled(event, source, catalog, states) for event in events]


def told(found: list[Fate]) -> dict[str, Any]:
    """Several fates as one, in the form of ``expected.json``."""
    strongest = min((fate.fate for fate in found), key=PRECEDENCE.index)
    return {
        "outcome": strongest,
        "reason": [fate.reason for fate in found if fate.fate == strongest][-1],
        "cdevents": [orjson.loads(cdevent.to_json()) for fate in found for cdevent in fate.cdevents],
    }


def _settled(event: CloudEvent, source: Source, catalog: Catalog, states: dict[str, Any]) -> Fate:
    outcome = source.transform(event, catalog)
    if isinstance(outcome, Observed):
        if source.fold is None:
            raise NoEvidence(f"{source.name} observes, and has no fold")
        key = outcome.key
        state, outcome = source.fold(states.get(key), outcome, catalog)
        states[key] = orjson.loads(orjson.dumps(state))  # between two events it is stored as JSON
    return settle(outcome, rule=source.name, event=event)

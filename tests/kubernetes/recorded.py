"""The recorded Kubernetes scenario, and playing messages through transform and fold as a worker does."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import read_message
from streams.facts import Deployment, deployment_of, merge_all
from streams.outcome import Observed
from streams.router import Fate, settle
from streams.transformers.kubernetes import source

FOLDER = Path(__file__).parents[1] / "fixtures" / "kubernetes-recorded"
PREDICATES = ("deployed", "upgraded", "rolledback", "removed")

# README.md of the fixture: (service, environment) -> deployed, upgraded, rolledback, removed.
EXPECTED = {
    ("checkout", "staging"): (2, 4, 2, 1),
    ("checkout", "production"): (1, 1, 0, 0),
    ("orders-db", "production"): (1, 1, 0, 0),
    ("log-agent", "production"): (1, 1, 0, 0),
}


@cache
def requests(name: str) -> tuple[CloudEvent, ...]:
    """The CloudEvents of ``deployments``, ``events`` or ``references``, in the order they were received."""
    return tuple(event for _, event in timed_requests(name))


@cache
def timed_requests(name: str) -> tuple[tuple[str, CloudEvent], ...]:
    lines = map(json.loads, (FOLDER / f"{name}.jsonl").read_text().splitlines())
    return tuple((line["received"], read_request(line["headers"], line["body"])) for line in lines)


def read_request(headers: Sequence[Sequence[str]], body: str) -> CloudEvent:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    (event,) = read_message(raw, body.encode()).events
    return event


def steps() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / "steps.jsonl").read_text().splitlines()]


@dataclass
class Played:
    """What playing messages left behind: states by uid, and a fate for every message."""

    catalog: Catalog = field(default_factory=Catalog.empty)
    states: dict[str, Any] = field(default_factory=dict)
    fates: list[Fate] = field(default_factory=list)

    def play(self, events: Iterable[CloudEvent]) -> "Played":
        for event in events:
            self.fates.append(self.take(event))
        return self

    def take(self, event: CloudEvent) -> Fate:
        outcome = source.transform(event, self.catalog)
        if isinstance(outcome, Observed):
            assert source.fold is not None
            before = json.loads(json.dumps(self.states.get(outcome.key)))  # as a table gives it back
            facts = Observed(outcome.key, json.loads(json.dumps(outcome.facts)))
            self.states[outcome.key], outcome = source.fold(before, facts, self.catalog)
        return settle(outcome, rule=source.name, event=event)

    @property
    def cdevents(self) -> list[CDEvent]:
        return [cdevent for fate in self.fates for cdevent in fate.cdevents]

    @property
    def deployments(self) -> dict[str, Deployment]:
        """What the tables would hold, withdrawn rows included."""
        reports = (deployment_of(cdevent, self.catalog) for cdevent in self.cdevents)
        return merge_all(report for report in reports if report is not None)

    @property
    def effective(self) -> dict[str, tuple[str, str, str, str]]:
        """deploy_id -> (kind, service, environment, instant) of what was not withdrawn."""
        return {
            deploy_id: (row.kind, row.service, row.environment, row.time_created.isoformat())
            for deploy_id, row in self.deployments.items()
            if row.kind != "withdrawn"
        }

    @property
    def table(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """The table of the fixture's README."""
        told = Counter((service, where, kind) for kind, service, where, _ in self.effective.values())
        removed = {cdevent.id: cdevent.dora for cdevent in self.cdevents if ".removed." in cdevent.type}
        told.update((dora["service"], dora["environment"], "removed") for dora in removed.values())
        places = {(service, where) for service, where, _ in told}
        return {place: tuple(told[*place, kind] for kind in PREDICATES) for place in places}


def play(events: Iterable[CloudEvent], catalog: Catalog | None = None) -> Played:
    return Played(catalog or Catalog.empty()).play(events)

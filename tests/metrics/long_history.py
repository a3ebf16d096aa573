"""Half a year of three services in 2,000 events of several sources, as stories that the oracle understands.

Each service has a repository of its own. What native CDEvents tell of one is told by reports and corrections
elsewhere, so that facts of one service come from several sources and over several routes.
"""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

from deploy.attributing import message_of as correction_of
from deploy.reporting import _cloudevent as report_event
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.kafka import read_record
from schemas.report import read as read_report
from streams.router import Routes, decide
from streams.sources import find_sources
from tests.infra.production import Record
from tests.links.telling import flat
from tests.metrics.stories import Event, instant, told

SERVICES = ("shop", "cart", "billing")
BEGIN = datetime(2026, 1, 5)  # noqa: DTZ001 - stories tell times in UTC, without saying so
MINUTES = 25 * 7 * 24 * 60
EVENTS = 2_000
STRUCTURED: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json")]


def clock(minute: int) -> str:
    return (BEGIN + timedelta(minutes=minute)).strftime("%m-%d %H:%M")


def story(service: str, seed: int = 6) -> list[Event]:
    """What happened to one service."""
    random = Random(f"{service}-{seed}")
    found, commits = _pushed(service, random)
    runs, deployed = _runs(service, random, found, commits)
    found += runs
    for number in range(61 if service == "billing" else 60):
        begin = random.randrange(3000, MINUTES - 3000)
        end = None if random.random() < 0.1 else clock(begin + random.randint(1, 2500))
        incident: Event = {"incident": f"{service}-i{number}", "from": clock(begin), "to": end}
        if random.random() < 0.2:
            incident["deploy_id"] = random.choice(deployed)
        found.append(incident)
    for name in random.sample(deployed, 20):
        said = random.choice(({"failed": True}, {"failed": False}, {"unplanned": True}, {"unplanned": False}))
        found.append({"correct": name, "at": clock(MINUTES + random.randrange(1000)), **said})
    return found


def _pushed(service: str, random: Random) -> tuple[list[Event], list[str]]:
    """Pushes and merges in their order, and the commits of main."""
    found: list[Event] = []
    commits: list[str] = []
    for number, minute in enumerate(sorted(random.sample(range(60, MINUTES - 4000), 157))):
        new = [f"{service}{number:03}{n}" for n in range(random.randint(1, 3))]
        made = max(0, minute - random.randint(1, 4000))
        if random.random() < 0.25:  # squashed: the work is on a branch, and one commit comes onto main
            squashed, pushed = f"{service}{number:03}s", minute - random.randint(1, 50)
            own: Event = {"push": new, "at": clock(pushed), "made": clock(min(made, pushed))}
            found.append(own | {"branch": f"topic-{number}"})
            found.append({"push": [squashed], "at": clock(minute), "made": clock(minute)})
            merge: Event = {"merge": f"{service}/pull/{number}", "at": clock(minute), "commit": squashed}
            found.append(merge | {"head": new[-1]})
            commits.append(squashed)
            continue
        push: Event = {"push": new, "at": clock(minute), "made": clock(made)}
        if random.random() < 0.1:
            push["hotfix"] = True
        if commits and random.random() < 0.1:
            push["reverts"] = random.choice(commits)
        found.append(push)
        commits += new
    return found, commits


def _runs(
    service: str, random: Random, pushes: list[Event], commits: list[str]
) -> tuple[list[Event], list[str]]:
    """Deployments of what was pushed by then, and rollbacks to any of them; and the deployments' names."""
    found: list[Event] = []
    deployed: list[str] = []
    pushed_at = {commit: instant(each["at"]) for each in pushes for commit in each.get("push", ())}
    for minute in sorted(random.sample(range(3000, MINUTES), 130)):
        ready = [commit for commit in commits if pushed_at[commit] <= instant(clock(minute))]
        if len(deployed) > 1 and random.random() < 0.1:
            back = random.choice(deployed)
            found.append({"rollback": f"{service}-r{minute:06}", "at": clock(minute), "to": back})
            continue
        deployed.append(f"{service}-d{minute:06}")
        run: Event = {"deploy": deployed[-1], "at": clock(minute)}
        if random.random() < 0.05:
            run["hotfix"] = True
        if ready and random.random() < 0.9:
            run["commit"] = random.choice(ready[-6:])
        found.append(run)
    return found, deployed


def stories(seed: int = 6) -> dict[str, list[Event]]:
    """The story of each service."""
    return {service: story(service, seed) for service in SERVICES}


def records(seed: int = 6) -> list[Record]:
    """All events of all services as they come over Kafka: exactly ``EVENTS``."""
    return [
        record
        for service, events in stories(seed).items()
        for event in events
        for record in _records(service, event)
    ]


def _records(service: str, event: Event) -> list[Record]:
    if "correct" in event:
        said = {name: event[name] for name in ("failed", "unplanned") if name in event}
        now = instant(event["at"]).isoformat()
        return [(None, correction_of(event["correct"], said, now).body, STRUCTURED)]
    if "incident" in event and service == "cart":
        return [_report(service, event, end) for end in (False, True) if event["to"] or not end]
    place: Event = {"service": service}
    if "deploy" not in event or "commit" in event:
        place["repository"] = f"acme/{service}"
    if "rollback" in event or "incident" in event:
        place.pop("repository")
    if "deploy" in event:
        place["artifact"] = f"pkg:oci/{service}@{event['deploy']}"
    if "rollback" in event:
        place["artifact"] = f"pkg:oci/{service}@{event['to']}"
        event = {name: value for name, value in event.items() if name != "to"}
    return [native(each) for each in flat([told(event | place)])]


def _report(service: str, event: Event, end: bool) -> Record:
    said: dict[str, Any] = {
        "kind": "incident",
        "id": event["incident"],
        "service": service,
        "environment": "production",
        "status": "resolved" if end else "opened",
        "time": instant(event["to"] if end else event["from"]).isoformat(),
    }
    if "deploy_id" in event:
        said["deploy_id"] = event["deploy_id"]
    body = json.dumps(said).encode()
    event_ = report_event(read_report(body), body) | {"data": said}
    return None, json.dumps(event_).encode(), STRUCTURED


def native(event: CDEvent) -> Record:
    """A native CDEvent as a producer writes it."""
    attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    headers: list[tuple[str, bytes | None]] = [(f"ce_{k}", v.encode()) for k, v in attributes.items()]
    return None, json.dumps(event.document).encode(), [*headers, ("content-type", b"application/json")]


def cdevents_of(given: list[Record]) -> list[list[CDEvent]]:
    """What each record becomes on its way through the router."""
    routes, catalog = Routes(find_sources()), Catalog.empty()
    found = []
    for _, value, headers in given:
        decision = decide(read_record(headers, value), routes, catalog)
        assert decision.fate is not None
        assert decision.fate.fate == "mapped", decision.fate.reason
        found.append(list(decision.fate.cdevents))
    return found

"""A history to measure answers on: the same rows at every run, linked by the pipeline's own ``link``.

Each service has its repository and its production. Of every five changes four are commits and one is the
merged change that brought them; they are pushed between two deployments. Some deployments are hotfixes or are
followed by an incident, some steps are rollbacks. What the relinker would compute is computed here by the
same pure function.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from random import Random
from typing import Any

import orjson

from schemas.calendar import Bucket, bucket_of, zone_of
from streams.facts import Change, Deployment, Incident, Push
from streams.links import History, link
from streams.links.history import Attribution, DeployedChange, LinkDay
from streams.sinks.columns import names_of, row_of

BEGIN, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 730
ENVIRONMENT = "production"
COMMITS = 4  # to each deployment, and the merged change that brings them
HOTFIXES, INCIDENTS, ROLLBACKS = 0.03, 0.05, 0.02
BUCKETS: tuple[Bucket, ...] = ("day", "week", "month", "year")

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How much: services, and deployments of each; there are five changes to a deployment."""

    services: int
    deployments: int


@dataclass(frozen=True, slots=True)
class Service:
    """All rows of one service, by table, in the order of its columns."""

    name: str
    tables: dict[str, Sequence[Row]]


# What is written of each table: generated columns and those that only a worker fills are left out.
KINDS: dict[str, type[Any]] = {
    "deployments": Deployment,
    "changes": Change,
    "pushes": Push,
    "attributions": Attribution,
    "deployed_changes": DeployedChange,
    "link_days": LinkDay,
}
COLUMNS = {name: names_of(kind) for name, kind in KINDS.items()} | {
    "incidents": ["incident_source", "incident_id", "detected_at", "opened_at", "resolved_at", "told"],
    "deployment_frequency": [
        "service",
        "environment",
        "bucket",
        "bucket_start",
        "deployments",
        "deployment_days",
    ],
}


def name_of(number: int) -> str:
    """The name of a service."""
    return f"service-{number:04}"


def services(size: Size) -> Iterator[Service]:
    """Every service, one after the other: a history need not fit into memory."""
    for number in range(size.services):
        yield service(name_of(number), size.deployments)


def service(name: str, deployments: int) -> Service:
    """The history of one service, always the same for the same name and number."""
    history = facts_of(name, deployments)
    links = link(history)
    return Service(
        name,
        {
            "deployments": _rows("deployments", history.deployments),
            "changes": _rows("changes", history.changes),
            "pushes": _rows("pushes", history.pushes),
            "incidents": [_incident_row(each) for each in history.incidents],
            "attributions": _rows("attributions", links.attributions),
            "deployed_changes": _rows("deployed_changes", links.changes),
            "link_days": _rows("link_days", links.days),
            "deployment_frequency": list(_frequency(history.deployments)),
        },
    )


def _rows(name: str, facts: Sequence[Any]) -> list[Row]:
    return list(map(row_of(KINDS[name]), facts))


def facts_of(name: str, number: int) -> History:
    """The facts of one service."""
    random = Random(name)
    seconds = sorted(random.sample(range(3600, DAYS * 86_400), number))
    deployments: list[Deployment] = []
    changes: list[Change] = []
    pushes: list[Push] = []
    incidents: list[Incident] = []
    begun = BEGIN
    for place, second in enumerate(seconds):
        at = BEGIN + timedelta(seconds=second, milliseconds=random.randrange(1000))
        identity = f"{name}:{place}"
        if random.random() < ROLLBACKS and len(deployments) > 1:
            deployments.append(_rollback(identity, at, deployments[-2]))
            continue
        commits = [sha1(f"{identity}:{n}".encode()).hexdigest() for n in range(COMMITS)]  # noqa: S324
        pushed = begun + (at - begun) * random.uniform(0.05, 0.95)
        for position, commit in enumerate(commits):
            made = pushed - timedelta(seconds=random.lognormvariate(10, 1.5))
            changes.append(_commit(name, commit, made, pushed))
            pushes.append(
                Push(f"acme/{name}", "main", commit, pushed, position, "", commits[-1], truncated=False)
            )
        changes.append(_merged(name, f"{place}", commits[-1], pushed, random))
        deployments.append(_deployment(identity, name, at, commits[-1], hotfix=random.random() < HOTFIXES))
        if random.random() < INCIDENTS:
            incidents.append(_incident(name, identity, at, random))
        begun = at
    return History(
        service=name,
        environment=ENVIRONMENT,
        deployments=deployments,
        pushes=pushes,
        changes=changes,
        incidents=incidents,
    )


def _deployment(identity: str, name: str, at: datetime, commit: str, *, hotfix: bool) -> Deployment:
    return Deployment(
        identity,
        at,
        name,
        name,
        ENVIRONMENT,
        f"acme/{name}",
        commit,
        f"pkg:oci/{name}@{commit[:12]}",
        "cdevents",
        "deployed",
        "success",
        True,  # noqa: FBT003 - the columns in their order
        "a successful rollout told by cdevents",
        None,
        0,
        at,
        "/benchmark",
        identity,
        hotfix,
    )


def _rollback(identity: str, at: datetime, target: Deployment) -> Deployment:
    return Deployment(
        identity,
        at,
        target.service,
        target.service,
        ENVIRONMENT,
        target.repository,
        target.commit,
        target.artifact,
        "cdevents",
        "rolledback",
        "success",
        False,  # noqa: FBT003
        "a rollback is not a deployment",
        None,
        0,
        at,
        "/benchmark",
        identity,
    )


def _commit(name: str, commit: str, made: datetime, pushed: datetime) -> Change:
    return Change(f"acme/{name}", commit, "commit", committed_at=made, pushed_at=pushed, service=name)


def _merged(name: str, identity: str, commit: str, at: datetime, random: Random) -> Change:
    return Change(
        f"acme/{name}",
        identity,
        "change",
        opened_at=at - timedelta(seconds=random.lognormvariate(9, 1)),
        merged_at=at,
        service=name,
        commit=commit,
        head=commit,
        branch="main",
    )


def _incident(name: str, identity: str, at: datetime, random: Random) -> Incident:
    detected = at + timedelta(seconds=random.lognormvariate(7, 1))
    over = None if random.random() < 0.02 else detected + timedelta(seconds=random.lognormvariate(8, 1))
    micros = int(detected.timestamp() * 1_000_000)
    told = {"service": (micros, name), "environment": (micros, ENVIRONMENT)}
    return Incident("/benchmark", f"incident-{identity}", detected, detected, over, told)


def _incident_row(incident: Incident) -> Row:
    told = orjson.dumps(dict(incident.told)).decode()
    return (*incident.key, incident.detected_at, incident.opened_at, incident.resolved_at, told)


def _frequency(deployments: Sequence[Deployment]) -> Iterator[Row]:
    """What the windowed tables keep, by plain counting."""
    zone = zone_of("UTC")
    numbers: Counter[tuple[Bucket, datetime]] = Counter()
    days: dict[tuple[Bucket, datetime], set[datetime]] = {}
    for each in deployments:
        if not each.counted:
            continue
        day, _ = bucket_of(each.time_created, "day", zone)
        for bucket in BUCKETS:
            start, _ = bucket_of(each.time_created, bucket, zone)
            numbers[bucket, start] += 1
            days.setdefault((bucket, start), set()).add(day)
    for (bucket, start), number in numbers.items():
        yield deployments[0].service, ENVIRONMENT, bucket, start, number, len(days[bucket, start])

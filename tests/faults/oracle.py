"""What the tables must hold: a pure computation over the distinct events, and the comparison with it.

Decisions and facts come from the project's own pure functions; counting is done here, anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.facts import Deployment, deployment_of, merge_all
from streams.router import Routes, decide
from streams.sources import find_sources
from tests.faults.workload import Event, Journal
from tests.infra.production import fetch

Cell = tuple[str, str, str, datetime]


async def find_faults(journal: Journal, dsn: str) -> list[str]:
    """Everything in which the tables differ from what they must be; empty when all is well."""
    rows = await fetch(dsn, "SELECT source, id, body, fate, reason FROM cloudevents_raw")
    stored = {(row["source"], row["id"]): row for row in rows}
    faults = []
    if len(stored) != len(rows):
        faults.append(f"{len(rows) - len(stored)} events have several rows")
    if lost := journal.acknowledged - stored.keys():
        faults.append(f"{len(lost)} acknowledged events are lost")
    if invented := stored.keys() - journal.sent.keys():
        faults.append(f"{len(invented)} events were never sent")
    faults += find_altered(journal, stored)
    events = [journal.sent[identity] for identity in stored if identity in journal.sent]
    expected = merge_all(deployments(events))
    faults += await find_wrong_deployments(expected, dsn)
    faults += await find_wrong_frequency(expected, dsn)
    return faults


def find_altered(journal: Journal, stored: dict[tuple[str, str], Any]) -> list[str]:
    """Rows whose bytes or fate are not what they must be."""
    faults = []
    for identity, row in stored.items():
        event = journal.sent.get(identity)
        if event is not None and row["body"] != event.body:
            faults.append(f"{identity}: its bytes were changed")
        if event is not None and row["fate"] != decide(received(event), ROUTES, CATALOG).fate.fate:
            faults.append(f"{identity}: fate {row['fate']} ({row['reason']})")
    return faults[:5]


async def find_wrong_deployments(expected: dict[str, Deployment], dsn: str) -> list[str]:
    rows = await fetch(dsn, "SELECT deploy_id, time_created, service, environment, counted FROM deployments")
    found = {row["deploy_id"]: tuple(row)[1:] for row in rows}
    wanted = {d.deploy_id: (d.time_created, d.service, d.environment, d.counted) for d in expected.values()}
    wrong = {key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)}
    return [f"{len(wrong)} of {len(wanted)} deployments are wrong"] if wrong else []


async def find_wrong_frequency(expected: dict[str, Deployment], dsn: str) -> list[str]:
    columns = "service, environment, bucket, bucket_start, deployments, deployment_days"
    rows = await fetch(dsn, f"SELECT {columns} FROM deployment_frequency")  # noqa: S608
    found = {tuple(row)[:4]: tuple(row)[4:] for row in rows}
    wanted = count(expected.values())
    wrong = {key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)}
    if not wrong:
        return []
    key = min(wrong, key=str)
    return [
        f"{len(wrong)} of {len(wanted)} buckets are wrong, as {key}: {found.get(key)}, not {wanted.get(key)}"
    ]


def count(expected: Iterable[Deployment]) -> dict[Cell, tuple[int, int]]:
    """Deployments and deployment days in each bucket, in UTC."""
    cells: dict[Cell, Counter[date]] = defaultdict(Counter)
    for deployment in expected:
        if deployment.counted:
            day = deployment.time_created.astimezone(UTC).date()
            for bucket, first in (
                ("day", day),
                ("week", day - timedelta(days=day.isoweekday() - 1)),
                ("month", date(day.year, day.month, 1)),
                ("year", date(day.year, 1, 1)),
            ):
                start = datetime(first.year, first.month, first.day, tzinfo=UTC)
                cells[deployment.service, deployment.environment, bucket, start][day] += 1
    return {cell: (days.total(), len(days)) for cell, days in cells.items()}


def deployments(events: Iterable[Event]) -> Iterable[Deployment]:
    """The deployments that the events report."""
    for event in events:
        decision = decide(received(event), ROUTES, CATALOG)
        for cdevent in decision.fate.cdevents:
            deployment = deployment_of(cdevent, CATALOG)
            if deployment is not None:
                yield deployment


def received(event: Event) -> CloudEvent:
    return CloudEvent(event.attributes, event.body)


ROUTES = Routes(find_sources())
CATALOG = Catalog.empty()

"""What the tables must hold: a pure computation over the distinct events, and the comparison with it.

Decisions and facts come from the project's own pure functions; counting is done here, anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.facts import Deployment, deployment_of
from streams.facts.deployments import merge
from streams.router import Decision, Routes, decide
from streams.sources import find_sources
from tests.faults.journal import Journal
from tests.faults.workload import Event, Workload
from tests.infra.production import fetch

Cell = tuple[str, str, str, datetime]

ROUTES = Routes(find_sources())
CATALOG = Catalog.empty()


@dataclass
class Recorded:
    """What the database holds of a workload: rows, faults found in them, and the deployments they report."""

    rows: int
    numbers: set[int]
    faults: list[str]
    deployments: dict[str, Deployment]


async def find_wrong_tables(workload: Workload, journal: Journal, dsn: str) -> list[str]:
    """Where the tables differ from what they must be: I1 and I2. Empty when all is well."""
    recorded = await read_recorded(workload, journal, dsn)
    faults = recorded.faults
    if recorded.rows != len(recorded.numbers):
        faults.append(f"{recorded.rows - len(recorded.numbers)} events have several rows")
    if lost := journal.acknowledged - recorded.numbers:
        faults.append(f"{len(lost)} acknowledged events are lost, as {min(lost)}")
    if invented := recorded.numbers - journal.sent:
        faults.append(f"{len(invented)} events were never sent")
    faults += await find_missing_conflicts(workload, journal, dsn)
    faults += await find_wrong_deployments(recorded.deployments, dsn)
    faults += await find_wrong_frequency(recorded.deployments, dsn)
    return faults


async def read_recorded(workload: Workload, journal: Journal, dsn: str) -> Recorded:
    """Go through ``cloudevents_raw`` and hold each row against its event."""
    recorded = Recorded(0, set(), [], {})
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            query = "SELECT source, id, body, fate, reason FROM cloudevents_raw"
            async for row in connection.cursor(query, prefetch=1000):
                recorded.rows += 1
                number = workload.number_of(row["id"])
                if number is None or number not in journal.sent:
                    recorded.faults.append(f"{row['id']}: nobody sent it")
                    continue
                recorded.numbers.add(number)
                check_row(recorded, workload, number, row)
    finally:
        await connection.close()
    del recorded.faults[5:]
    return recorded


def check_row(recorded: Recorded, workload: Workload, number: int, row: Any) -> None:
    """Its bytes and its fate; and what it says of deployments."""
    event = workload.build(number)
    bodies = {event.body, workload.twin(number).body} if workload.has_twin(number) else {event.body}
    decision = decided(event)
    if row["body"] not in bodies:
        recorded.faults.append(f"{row['id']}: its bytes were changed")
    if decision.fate is None or row["fate"] != decision.fate.fate:
        recorded.faults.append(f"{row['id']}: fate {row['fate']} ({row['reason']})")
    for deployment in deployments(decision):
        known = recorded.deployments.get(deployment.deploy_id)
        recorded.deployments[deployment.deploy_id] = merge(known, deployment) if known else deployment


async def find_missing_conflicts(workload: Workload, journal: Journal, dsn: str) -> list[str]:
    """Where both of two events with one identity were acknowledged, the one that lost is a dead letter."""
    rows = await fetch(dsn, "SELECT id, value FROM deadletters WHERE reason LIKE 'conflict%'")
    found = {workload.number_of(row["id"]) for row in rows}
    missing = (journal.acknowledged & journal.twins_acknowledged) - found
    return [f"{len(missing)} conflicts have no dead letter"] if missing else []


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


def decided(event: Event) -> Decision:
    """What the project's own pure code makes of an event."""
    return decide(CloudEvent(event.attributes, event.body), ROUTES, CATALOG)


def deployments(decision: Decision) -> Iterable[Deployment]:
    """The deployments that an event reports."""
    for cdevent in decision.fate.cdevents if decision.fate else ():
        deployment = deployment_of(cdevent, CATALOG)
        if deployment is not None:
            yield deployment

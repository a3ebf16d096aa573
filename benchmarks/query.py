"""Answers at scale: how long the metrics take over a year of one service, of a team, and of everything.

The history of ``benchmarks/query_history.py`` is written by COPY into an embedded PostgreSQL and then brought
into the order in which a pipeline that lives would have written it, which is that of time: rows of one
service are far apart. The questions go over HTTP to a ``dora query`` of its own. Every question is asked of
another service or team, so that no answer is the one before.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.query_history import COLUMNS, ENVIRONMENT, Size, name_of, services
from deploy.embedded.postgres import Postgres
from deploy.migrations import migrate
from query.app import create_app
from query.database import Reading, statement
from query.metrics import metrics
from query.settings import Settings
from schemas.catalog import Catalog

SIZE = Size(services=500, deployments=2_050)
TEAM = 20  # services
PLANS = Path(__file__).parent / "results" / "query_plans.txt"
ARRAY = re.compile(r"'\{.*?\}'")  # where the buckets begin, a hundred times in each plan
YEAR = "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"
BUCKETS = ("day", "month")
# In the order of time, as they would have come.
CLUSTERED = {
    "deployments": "deployments_by_time",
    "attributions": "attributions_by_time",
    "deployed_changes": "deployed_changes_by_time",
    "link_days": "link_days_by_day",
    "deployment_frequency": "deployment_frequency_by_bucket",
    "incidents": "incidents_by_time",
}
TABLES = (
    "deployments",
    "changes",
    "pushes",
    "incidents",
    "attributions",
    "deployed_changes",
    "link_days",
    "deployment_frequency",
)
INDEXES = """
SELECT class.relname AS name,
       CASE WHEN made.conname IS NULL THEN format('DROP INDEX %I', class.relname)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', index.indrelid::regclass, made.conname)
       END AS undo,
       CASE WHEN made.conname IS NULL THEN pg_get_indexdef(index.indexrelid)
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', index.indrelid::regclass, made.conname,
                        pg_get_constraintdef(made.oid)) END AS redo
  FROM pg_index AS index
  JOIN pg_class AS class ON class.oid = index.indexrelid
  LEFT JOIN pg_constraint AS made ON made.conindid = index.indexrelid
 WHERE index.indrelid::regclass::text = ANY ($1::text[])
"""
START_TIMEOUT = 30.0  # seconds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question is about, how often it is asked, and the seconds that 99 of 100 may take."""

    name: str
    words: str
    within: float
    times: int


SCOPES = (
    Scope("service", "a service", 0.1, 100),
    Scope("team", "a team of 20", 0.1, 100),
    Scope("all", "all", 1.0, 10),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """The seconds of one question, in ascending order."""

    metric: str
    scope: Scope
    bucket: str
    seconds: Sequence[float]
    samples: int

    def percentile(self, share: float) -> float:
        """The value below which ``share`` (0 to 1) of the answers are."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]

    @property
    def holds(self) -> bool:
        """Whether it is answered in time."""
        return self.percentile(0.99) <= self.scope.within

    def figures(self, note: str) -> Sequence[Figure]:
        """The median and the 99th percentile, in milliseconds."""
        name = f"{self.metric} of {self.scope.words}, by {self.bucket}"
        return [
            Figure(f"{name}: median", "ms", [self.percentile(0.5) * 1000], note=note),
            Figure(
                f"{name}: p99",
                "ms",
                [self.percentile(0.99) * 1000],
                Target(most=self.scope.within * 1000),
                note,
            ),
        ]


def catalog(size: Size) -> str:
    """Teams of twenty services, and one production."""
    told = {name_of(n): {"team": f"team-{n // TEAM:02}"} for n in range(size.services)}
    return json.dumps({"services": told, "production": [ENVIRONMENT]})


async def load(dsn: str, size: Size, say: Say) -> dict[str, int]:
    """Write the history into an empty database; how many rows each table has then."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    indexes = await _drop_indexes(connection)
    rows: dict[str, int] = {}
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {', '.join(TABLES)}")  # so that COPY need not write a log
        for number, service in enumerate(services(size), 1):
            for name, records in service.tables.items():
                if name == "pushes" and number > TEAM:
                    continue  # no answer reads them; those of a team are there to be linked again
                await connection.copy_records_to_table(name, records=records, columns=COLUMNS.get(name))
                rows[name] = rows.get(name, 0) + len(records)
            if number % 50 == 0:
                say(f"loaded {number} of {size.services} services")
    for name, index in CLUSTERED.items():
        say(f"bringing {name} into the order of time")
        await connection.execute(indexes.pop(index))
        await connection.execute(f"CLUSTER {name} USING {index}")
    say("making the indexes")
    for definition in indexes.values():
        await connection.execute(definition)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return rows


async def _drop_indexes(connection: asyncpg.Connection) -> dict[str, str]:
    """What makes each index of the tables again, by its name; a load is much faster without."""
    found = await connection.fetch(INDEXES, list(TABLES))
    for row in found:
        await connection.execute(row["undo"])
    return {row["name"]: row["redo"] for row in found}


def questions(scope: Scope, size: Size) -> Iterator[str]:
    """What to ask about, as a part of a URL: another service or team each time."""
    for number in range(scope.times):
        if scope.name == "service":
            yield f"&service={name_of(number * 7 % size.services)}"
        elif scope.name == "team":
            yield f"&team=team-{number % max(1, size.services // TEAM):02}"
        else:
            yield ""


def measure(url: str, size: Size, say: Say) -> list[Measured]:
    """Ask every metric about every scope, one question at a time."""
    found = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for metric in metrics():
            for scope in SCOPES:
                for bucket in BUCKETS:
                    found.append(_measure(client, metric.name, scope, bucket, size))
                    say(_line(found[-1]))
    return found


def _measure(client: httpx.Client, metric: str, scope: Scope, bucket: str, size: Size) -> Measured:
    seconds, samples = [], 0
    for part in questions(scope, size):
        begun = time.perf_counter()
        answer = client.get(f"/v1/metrics/{metric}?{YEAR}&bucket={bucket}{part}")
        seconds.append(time.perf_counter() - begun)
        samples = int(answer.raise_for_status().json()["sample_count"])
    return Measured(metric, scope, bucket, sorted(seconds), samples)


def _line(told: Measured) -> str:
    return (
        f"{told.metric:32} {told.scope.name:8} {told.bucket:6} median {told.percentile(0.5) * 1000:7.1f} ms"
        f"  p99 {told.percentile(0.99) * 1000:7.1f} ms  {'' if told.holds else 'TOO SLOW'}"
    )


@contextmanager
def serving(dsn: str, folder: Path, size: Size) -> Iterator[str]:
    """A ``dora query`` of its own; its URL."""
    described, port = folder / "catalog.json", folder / "port"
    described.write_text(catalog(size), encoding="utf-8")
    port.unlink(missing_ok=True)
    environment = os.environ | {
        "DORA_POSTGRES": dsn,
        "DORA_CATALOG": str(described),
        "DORA_PORT": "0",
        "DORA_PORT_FILE": str(port),
    }
    with (folder / "query.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "query"], env=environment, stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{_port(port, process)}"
        finally:
            process.terminate()
            process.wait()


def _port(file: Path, process: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.05)
    raise RuntimeError(f"dora query did not start; see {file.parent / 'query.log'}")


async def plans(dsn: str, size: Size) -> str:
    """How PostgreSQL answers each question: EXPLAIN (ANALYZE, BUFFERS) of every statement of it."""
    told: list[str] = []
    shown: set[str] = set()

    rows = Reading.rows

    async def explained(reading: Reading, name: str, *values: Any) -> Any:
        connection = reading._connection  # noqa: SLF001 - the same snapshot
        lines = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement(name)}", *values)
        plan = "\n".join(ARRAY.sub("'{...}'", line[0]) for line in lines)
        if name not in shown:
            told.append(f"-- {name}\n{plan}\n")
        shown.add(name)
        return await rows(reading, name, *values)

    app = create_app(Settings.model_validate({"postgres": dsn}), Catalog.parse(catalog(size)))
    with patch.object(Reading, "rows", explained):
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://query") as client:
                for scope in SCOPES:
                    shown.clear()  # a statement is shown once of each scope
                    for metric in metrics():
                        part = next(questions(scope, size))
                        path = f"/v1/metrics/{metric.name}?{YEAR}&bucket=day{part}"
                        told.append(f"## {path}\n")
                        (await client.get(path, timeout=60)).raise_for_status()
    return "\n".join(told)


def run(options: Options) -> Sequence[Figure]:
    """Load, ask, and keep the plans of a whole run in ``benchmarks/results``."""
    size = Size(TEAM * 2, 100) if options.quick else SIZE
    postgres = Postgres(options.folder / "postgres")
    postgres.start()
    try:
        rows = asyncio.run(load(postgres.dsn(), size, options.say))
        with serving(postgres.dsn(), options.folder, size) as url:
            measured = measure(url, size, options.say)
        if not options.quick:
            PLANS.write_text(asyncio.run(plans(postgres.dsn(), size)), encoding="utf-8")
    finally:
        postgres.stop()
    note = f"{rows['deployments']:,} deployments, {rows['changes']:,} changes of {size.services} services"
    return [figure for each in measured for figure in each.figures(note)]


BENCHMARK = Benchmark("query", "answers over a year of a million deployments", run, quick=False)

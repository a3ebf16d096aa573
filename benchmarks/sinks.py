"""Recording raw events beside the same rows by a bare COPY, and by a bare INSERT … ON CONFLICT.

All on one database with ``synchronous_commit`` on, 500 rows to a transaction. The bare ones write to a table
of the same columns and indexes, and check nothing: neither conflicts nor the generation.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks.measurement import Benchmark, Figure, Options, ratio
from benchmarks.mix import make_events
from deploy.embedded.postgres import Postgres
from deploy.embedded.probes import in_thread
from deploy.migrations import migrate
from deploy.provisioning import OWNER, create_roles, role_dsn
from schemas.cloudevents.kafka import read_record
from streams.records import Arrival
from streams.router import Fate
from streams.sinks import cloudevents as sink
from streams.sinks.cloudevents import SettledEvent
from streams.sinks.database import Database, statement

AT_ONCE = 500
ARRIVED = datetime(2026, 6, 1, tzinfo=UTC)

Write = Callable[[Sequence[SettledEvent]], Awaitable[Any]]


def run(options: Options) -> Sequence[Figure]:
    """Rows a second, round by round."""
    postgres = Postgres(options.folder / "postgres")
    postgres.start()
    try:
        in_thread(_prepare(postgres))
        return asyncio.run(_measure(role_dsn(postgres, OWNER), options))
    finally:
        postgres.stop(10)


async def _prepare(postgres: Postgres) -> None:
    await create_roles(postgres)
    await migrate(role_dsn(postgres, OWNER), timezone="UTC")


async def _measure(dsn: str, options: Options) -> Sequence[Figure]:
    rows = options.sized(20_000, 5_000)
    database = Database(dsn, 1)
    bare = await asyncpg.connect(dsn)
    names = _columns()
    await bare.execute("CREATE TABLE bench_raw (LIKE cloudevents_raw INCLUDING ALL)")
    insert = statement("store_cloudevents").replace("cloudevents_raw", "bench_raw")

    async def copy(settled: Sequence[SettledEvent]) -> None:
        records = [sink.row_of(entry) for entry in settled]
        await bare.copy_records_to_table("bench_raw", records=records, columns=names)

    async def insert_all(settled: Sequence[SettledEvent]) -> None:
        await bare.execute(insert, *map(list, zip(*map(sink.row_of, settled), strict=True)))

    async def ours(settled: Sequence[SettledEvent]) -> None:
        await sink.find_conflicts(database, [entry.event for entry in settled])
        await sink.store(database, settled)

    writes: dict[str, Write] = {"copy": copy, "insert": insert_all, "ours": ours}
    rates: dict[str, list[float]] = {name: [] for name in writes}
    try:
        for number in range(options.rounds):
            options.say(f"sinks: round {number + 1} of {options.rounds}")
            for name, write in writes.items():
                rates[name].append(await _rate(write, _settled(rows, f"{name}-{number}")))
    finally:
        await database.close()
        await bare.close()
    return [
        Figure("raw events recorded", "rows/s", rates["ours"], note="conflicts looked for, then stored"),
        Figure("bare COPY", "rows/s", rates["copy"]),
        Figure("bare INSERT … ON CONFLICT", "rows/s", rates["insert"]),
        ratio("raw recording / bare COPY", rates["ours"], rates["copy"], 0.5),
    ]


def _columns() -> list[str]:
    text = statement("store_cloudevents")
    return [name.strip() for name in text.partition("(")[2].partition(")")[0].split(",")]


async def _rate(write: Write, settled: Sequence[SettledEvent]) -> float:
    began = time.perf_counter()
    for start in range(0, len(settled), AT_ONCE):
        await write(settled[start : start + AT_ONCE])
    return len(settled) / (time.perf_counter() - began)


def _settled(number: int, run_name: str) -> list[SettledEvent]:
    found = []
    for offset, made in enumerate(make_events(number, run_name)):
        event = read_record(made.kafka_headers(), made.body)
        arrival = Arrival("cloudevents", 0, offset, ARRIVED, None, made.body, [], {})
        found.append(SettledEvent(event, arrival, Fate("ignored", "a benchmark")))
    return found


BENCHMARK = Benchmark("sinks", "recording raw events, beside bare COPY and INSERT", run)

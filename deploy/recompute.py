"""Recompute: build the next generation of every derived row from the recorded events, beside live traffic.

The order keeps every event (docs/operating.md, "Recompute"):

1. note how far the active generation has come in the input topics, and wait until everything that it passed
   on to its later stages is settled too: from then on each event before that point has its raw row;
2. begin the next generation in PostgreSQL, and let its consumer group start at that point;
3. start a worker for it, and play the raw rows to it over a topic of its own;
4. when the worker has handled the replay, caught up and linked the facts, switch in one transaction. Workers
   of the old generation are refused from then on and start again for the new one.

Events that are seen both in the replay and live count once, as any duplicate does.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from access.kafka import Cluster
from deploy.kafka_topics import create
from deploy.migrations import connect
from deploy.offsets import Offsets, Positions, begin_group, watching
from deploy.replay import Target, replay
from deploy.topic_growth import grow
from schemas.catalog import Catalog
from schemas.topics import Topics
from streams.deadletters import CONFLICT, FOREIGN

Report = Callable[[str, int, int], None]  # (step, done, total)

PATIENCE = 120.0  # seconds without any progress after which the recompute gives up
POLL = 0.3  # seconds between looks
STOP_DEADLINE = 15.0  # seconds; the worker's own limit is shorter


CLOSE_EVENTS = """
UPDATE deadletters AS letter SET state = 'redriven', settled_at = now()
FROM cloudevents_raw AS event
JOIN building.fates AS told ON told.source = event.source AND told.id = event.id
WHERE event.fate = 'dead' AND told.fate <> 'dead' AND letter.source = event.source AND letter.id = event.id
  AND letter.state = 'open' AND letter.stage IN ('transform', 'observe', 'call') AND letter.reason <> $1
"""
# CDEvents that could not be recorded or counted, and that the workers of the next generation did.
CLOSE_CDEVENTS = """
UPDATE deadletters AS letter SET state = 'redriven', settled_at = now()
FROM building.cdevents_raw AS made
WHERE made.cd_source = letter.source AND made.cd_id = letter.id AND letter.state = 'open'
  AND letter.stage IN ('record', 'measure') AND letter.reason <> $1 AND letter.generation < $2
"""


class RecomputeError(Exception):
    """The recompute was given up and the active generation is untouched. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build and where. ``timezone`` and ``partitions`` ``None`` keep what there is."""

    kafka: Cluster
    postgres: str
    topics: Topics
    inputs: tuple[str, ...]
    timezone: str | None
    catalog: Catalog
    replication_factor: int = 1
    partitions: int | None = None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The generation that is active now, and how many recorded events it was built from."""

    generation: int
    events: int


async def recompute(plan: Plan, report: Report) -> Recomputed:
    """Build and activate the next generation. Raises ``RecomputeError``."""
    connection = await connect(plan.postgres)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('dora.recompute'))"):
            raise RecomputeError("another recompute is running; wait for it to end")
        row = await connection.fetchrow("SELECT generation, timezone FROM generations WHERE state = 'active'")
        if row is None:
            raise RecomputeError("there is no active generation; run: dora migrate")
        start = await find_start(plan, int(row["generation"]), report)
        if plan.partitions is not None:
            plan = replace(plan, topics=plan.topics.with_partitions(plan.partitions))
            await grow(plan.kafka, plan.topics, int(row["generation"]))
        zone = plan.timezone or str(row["timezone"])
        number = int(
            await connection.fetchval("SELECT begin_generation($1, $2)", zone, plan.catalog.facts_digest)
        )
        try:
            events = await build(plan, connection, number, start, report)
        except BaseException:
            await connection.execute("SELECT abandon_generation($1)", number)
            raise
        return Recomputed(number, events)
    finally:
        await connection.close()


async def find_start(plan: Plan, active: int, report: Report) -> Positions:
    """Offsets of the input topics before which every event has its raw row."""
    async with watching(plan.kafka, plan.topics.application(active)) as offsets:
        start = await offsets.committed(plan.inputs)
        # Dead letters last: the workers of the next generation store only what they gave up on themselves.
        topics = plan.topics
        for names in (
            (topics.replay(active),),  # what is redriven
            (topics["observations"], topics["functions"]),
            (topics["deadletters"],),
        ):
            await reach(offsets, await offsets.ends(names), "settling", report)
    return start


async def build(plan: Plan, connection: Any, number: int, start: Positions, report: Report) -> int:
    """Play every recorded event to a worker of generation ``number``, then activate it."""
    mark = int(await connection.fetchval("SELECT coalesce(max(event_id), 0) FROM cloudevents_raw"))
    await connection.execute(
        "UPDATE generations SET mark = to_jsonb($2::bigint) WHERE generation = $1", number, mark
    )
    await create(plan.kafka, plan.topics.all(number), replication_factor=plan.replication_factor)
    await begin_group(plan.kafka, plan.topics.application(number), start)
    with worker(plan, number) as process:
        total = int(
            await connection.fetchval("SELECT count(*) FROM cloudevents_raw WHERE event_id <= $1", mark)
        )
        target = Target(plan.topics, number, plan.catalog)
        events = await replay(
            connection, plan.kafka, target, mark, lambda done: report("replaying", done, total)
        )
        async with watching(plan.kafka, plan.topics.application(number)) as offsets:
            await catch_up(plan, offsets, number, report, process)
        await relinked(connection, report, process)
        await activate(connection, number)
    return events


async def activate(connection: Any, number: int) -> None:
    """Switch to generation ``number``. What is dead no more in it was as good as redriven."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('dora.generation'))", timeout=600)
        await connection.execute(CLOSE_EVENTS, CONFLICT, timeout=600)
        await connection.execute(CLOSE_CDEVENTS, FOREIGN, number, timeout=600)
        await connection.execute("SELECT activate_generation($1)", number, timeout=600)


async def catch_up(
    plan: Plan, offsets: Offsets, number: int, report: Report, process: "subprocess.Popen[bytes]"
) -> None:
    """Wait until the replay is handled, then what followed from it, then what followed from that."""
    topics = plan.topics
    for names in (
        (topics.replay(number), *plan.inputs),
        (topics["observations"], topics["functions"]),
        (topics["cdevents"],),
    ):
        await reach(offsets, await offsets.ends(names), "building", report, process)


async def relinked(connection: Any, report: Report, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the links between the new facts are computed; marks are only made by live events by now."""
    most, rest, moved_at = 0, -1, time.monotonic()
    while True:
        left = int(await connection.fetchval("SELECT count(*) FROM building.relinks"))
        most = max(most, left)
        report("linking", most - left, most)
        if left == 0:
            return
        if left != rest:
            rest, moved_at = left, time.monotonic()
        if process.poll() is not None:
            raise RecomputeError(f"its worker ended with code {process.returncode}; see its log above")
        if time.monotonic() - moved_at > PATIENCE:
            raise RecomputeError(f"no progress while linking for {PATIENCE:.0f} s; see its log above")
        await asyncio.sleep(POLL)


async def reach(
    offsets: Offsets,
    ends: Positions,
    step: str,
    report: Report,
    process: "subprocess.Popen[bytes] | None" = None,
) -> None:
    """Wait until the group has committed everything before ``ends``."""
    topics = sorted({partition.topic for partition in ends})
    total = sum(ends.values())
    done, moved_at = -1, time.monotonic()
    while True:
        committed = await offsets.committed(topics)
        now_done = sum(min(committed.get(partition, 0), end) for partition, end in ends.items())
        report(step, now_done, total)
        if now_done >= total:
            return
        if now_done != done:
            done, moved_at = now_done, time.monotonic()
        if process is not None and process.poll() is not None:
            raise RecomputeError(f"its worker ended with code {process.returncode}; see its log above")
        if time.monotonic() - moved_at > PATIENCE:
            raise RecomputeError(f"no progress while {step} for {PATIENCE:.0f} s; is a worker running?")
        await asyncio.sleep(POLL)


@contextmanager
def worker(plan: Plan, number: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A worker for the generation that is being built. Afterwards the others, started again, take over.

    Its tables are in a folder of its own, and it has no lasting name: it is here for once.
    """
    with tempfile.TemporaryDirectory(prefix="dora-recompute-") as state:
        settings = {
            "DORA_GENERATION": str(number),
            "DORA_PARTITIONS": str(plan.topics.partitions),
            "DORA_STATE_DIR": state,
            "DORA_INSTANCE": "",
            "DORA_WORKER_PORT": "0",
            "DORA_PORT_FILE": "",
            "DORA_TIMEZONE": plan.timezone or os.environ.get("DORA_TIMEZONE", ""),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "worker"],
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End the worker, by force when it takes longer than it should."""
    process.terminate()
    try:
        process.wait(STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

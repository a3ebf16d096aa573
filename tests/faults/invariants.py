"""The invariants that every fault test ends with, checked in Kafka, in PostgreSQL and in the processes.

I1 nothing acknowledged is lost, I2 no effect is doubled, I3 every refusal is counted, I4 progress (the
scene's ``settled``, and how processes ended), I5 order does not matter (the oracle knows none), I6 no secrets
where they do not belong, I7 what was taken is given back.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.cloudevents.event import InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from tests.faults.oracle import find_wrong_tables
from tests.faults.scene import SECRETS, Scene
from tests.faults.scrapes import Life, Usage, usage_of

ENDED_BY_US = {0, -9, -15, -2}  # after a signal of the test: in order, or killed
# docs/operating.md: 70 and 75 without acknowledging what was in hand, 1 when started while Kafka is away.
ENDED_BY_ITSELF = {1, 70, 75}
MEMORY = 200.0  # MiB that a process may have grown by when everything is quiet again
FILES = 40
POOL = 6 + 1  # connections of a worker to PostgreSQL: its pool's, and one that is just replaced


@dataclass(frozen=True)
class Figures:
    """What was seen; events, unless it says otherwise."""

    sent: int
    acknowledged: int
    records: int
    again: int
    doubled_by_faults: int
    recorded: int
    dead_letters: int
    lost: int
    doubled: int


async def check(scene: Scene, *, kept: bool = True) -> tuple[Figures, list[str]]:
    """Figures and faults of a scene that is settled. ``kept`` False: the test took records off topics."""
    ids: Counter[str] = Counter()
    leaks: set[str] = set()
    for topic in ("cloudevents", "cdevents", "deadletters", "observations", "functions"):
        async for record in records_of(scene, scene.topics[topic]):
            leaks |= {f"a record of {topic}" for secret in SECRETS if holds(record, secret)}
            if topic == "cloudevents":
                ids[id_of(record)] += 1
    journal = scene.journal
    on_topic = {scene.workload.number_of(event_id) for event_id in ids}
    faults = []
    if kept and (lost := (journal.acknowledged | journal.twins_acknowledged) - on_topic):
        faults.append(f"{len(lost)} acknowledged events are lost before the topic, as {min(lost)}")
    faults += await find_wrong_tables(scene.workload, journal, scene.admin_dsn)
    faults += find_uncounted(scene)
    faults += find_bad_ends(scene)
    faults += sorted(f"a secret is in {place}" for place in leaks | await find_secrets(scene))
    faults += await find_growth(scene)
    return await figures(scene, ids), faults


async def assert_invariants(scene: Scene, *, kept: bool = True) -> Figures:
    """Fail with everything that is wrong."""
    seen, faults = await check(scene, kept=kept)
    print(seen)
    assert not faults, "\n".join(faults)
    return seen


async def figures(scene: Scene, ids: Counter[str]) -> Figures:
    journal = scene.journal
    ours = sum(number for event_id, number in ids.items() if scene.workload.number_of(event_id) is not None)
    recorded = Counter(row["id"] for row in await scene.rows("SELECT id FROM cloudevents_raw"))
    dead = await scene.rows("SELECT count(*) FROM deadletters")
    known = {scene.workload.number_of(event_id) for event_id in recorded}
    acknowledged = len(journal.acknowledged) + len(journal.twins_acknowledged)
    return Figures(
        sent=len(journal.sent),
        acknowledged=acknowledged,
        records=ids.total(),
        again=journal.accepted_events - acknowledged,
        doubled_by_faults=ours - journal.accepted_events,
        recorded=recorded.total(),
        dead_letters=dead[0][0],
        lost=len((journal.acknowledged | journal.twins_acknowledged) - known),
        doubled=recorded.total() - len(recorded),
    )


# Kafka


async def records_of(scene: Scene, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Everything on a topic now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=scene.servers.kafka.address, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(scene.topics.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    yield record
    finally:
        await consumer.stop()


def id_of(record: ConsumerRecord) -> str:
    """The event's id; empty for a record that is no event."""
    try:
        return read_record(record.headers, record.value).id
    except InvalidCloudEvent:
        return ""


def holds(record: ConsumerRecord, secret: str) -> bool:
    needle = secret.encode()
    parts = [record.key, record.value, *(value for _, value in record.headers)]
    return any(needle in part for part in parts if part)


# Processes


def find_uncounted(scene: Scene) -> list[str]:
    """I3. A killed ingress takes what it counted since the last look with it, and no more than that."""
    faults = []
    lives = [life for life in scene.scrapes.lives if life.program.command == "ingress" and life.text]
    for life in lives:
        requests = life.total("dora_ingress_requests_total")
        accepted = life.total("dora_ingress_requests_accepted_total")
        refused = life.total("dora_ingress_requests_refused_total")
        if requests != accepted + refused:
            faults.append(f"an ingress counted {requests} requests, {accepted} accepted, {refused} refused")
        faults += miscounted(scene, life, accepted)
    return faults


def miscounted(scene: Scene, life: Life, accepted: float) -> list[str]:
    """The counter against the clients' journal, up to the moment at which the counter was read."""
    journal = scene.journal
    known = journal.accepted_between(life.url, life.began, life.seen - 1)
    most = journal.accepted_between(life.url, life.began, life.seen + 13)
    most += sum(answer.status == "lost" for answer in journal.answers)
    if not known <= accepted <= most:
        return [f"an ingress counted {accepted} accepted requests; clients know of {known} to {most}"]
    return []


def find_bad_ends(scene: Scene) -> list[str]:
    """I4: a process ends because it was told to, or non-zero as documented."""
    faults = []
    for program in scene.programs:
        allowed = ENDED_BY_US | (ENDED_BY_ITSELF if program.command == "worker" else set())
        if wrong := [code for code in program.exits if code not in allowed]:
            faults.append(f"{program.folder.name} ended with {wrong}")
    return faults


async def find_secrets(scene: Scene) -> set[str]:
    """I6: in logs, counters, answers and tables."""
    places: dict[str, str] = {}
    for program in scene.programs:
        places[f"the log of {program.folder.name}"] = scene.whole_log(program)
    for life in scene.scrapes.lives:
        places[f"the counters of {life.program.folder.name}"] = life.text
    for table in ("deadletters", "cloudevents_raw"):
        rows = await scene.rows(
            f"SELECT count(*) FROM {table} AS t WHERE t::text ~ $1",  # noqa: S608 - names from above
            "|".join(SECRETS),
        )
        places[f"the table {table}"] = SECRETS[0] if rows[0][0] else ""
    return {place for place, text in places.items() for secret in SECRETS if secret in text}


def usages(scene: Scene) -> dict[str, Usage]:
    """What each process takes now, by name."""
    taken = {program.folder.name: usage_of(program) for program in scene.programs}
    return {name: usage for name, usage in taken.items() if usage is not None}


async def find_growth(scene: Scene) -> list[str]:
    """I7: memory, open files, threads and connections are as when all was ready, and nothing is in flight."""
    faults = []
    now = usages(scene)
    for name, before in scene.baseline.items():
        after = now.get(name, before)
        if after.memory > before.memory + MEMORY:
            faults.append(f"{name} takes {after.memory:.0f} MiB, {before.memory:.0f} at first")
        if after.files > before.files + FILES:
            faults.append(f"{name} has {after.files} files open, {before.files} at first")
        if after.threads > before.threads + 16:
            faults.append(f"{name} has {after.threads} threads, {before.threads} at first")
    faults += await find_connections(scene)
    async with httpx.AsyncClient() as http:
        for ingress in scene.ingresses:
            text = (await http.get(ingress.url + "/metrics")).text
            if "dora_ingress_events_in_flight 0.0\n" not in text:
                faults.append(f"{ingress.folder.name} still has events in flight")
    return faults


async def find_connections(scene: Scene, within: float = 15) -> list[str]:
    """Connections to PostgreSQL: no more than pools hold, none in the middle of a transaction."""
    deadline = time.monotonic() + within
    while True:
        rows = await scene.rows(
            "SELECT count(*) AS all, count(*) FILTER (WHERE state <> 'idle' AND"
            " state_change < now() - interval '5 s') AS hanging FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'dora-worker%'"
        )
        told = rows[0]
        if told["all"] <= len(scene.workers) * POOL and not told["hanging"]:
            return []
        if time.monotonic() > deadline:
            return [f"{told['all']} connections to PostgreSQL, {told['hanging']} of them hanging"]
        await asyncio.sleep(0.5)


def write_evidence(scene: Scene, folder: Path) -> None:
    """The journal, beside the logs, for people who look for what happened."""
    scene.journal.write(folder / "journal.jsonl")

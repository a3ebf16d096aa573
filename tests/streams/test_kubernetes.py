"""The recorded Kubernetes scenario through the whole worker, as a KafkaSink delivers it, and worse."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from schemas.topics import Topics
from tests.infra.production import Record, eventually, fetch, produce
from tests.infra.programs import Program
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

RECORDED = Path(__file__).parents[1] / "fixtures" / "kubernetes-recorded"

# The table of the recording's README: service, environment and kind of what counted or was rolled back.
EXPECTED = {
    ("checkout", "staging", "deployed"): 2,
    ("checkout", "staging", "upgraded"): 4,
    ("checkout", "staging", "rolledback"): 2,
    ("checkout", "production", "deployed"): 1,
    ("checkout", "production", "upgraded"): 1,
    ("orders-db", "production", "deployed"): 1,
    ("orders-db", "production", "upgraded"): 1,
    ("log-agent", "production", "deployed"): 1,
    ("log-agent", "production", "upgraded"): 1,
}
FREQUENCY = {
    ("checkout", "staging"): 6,
    ("checkout", "production"): 2,
    ("orders-db", "production"): 2,
    ("log-agent", "production"): 2,
}


def recorded(name: str) -> list[Record]:
    """The requests of one recording as a KafkaSink in binary mode writes them."""
    records: list[Record] = []
    for line in (RECORDED / f"{name}.jsonl").read_text().splitlines():
        request = json.loads(line)
        headers: list[tuple[str, bytes | None]] = []
        for header, value in request["headers"]:
            if header.lower().startswith("ce-"):
                headers.append((f"ce_{header[3:].lower()}", value.encode()))
            elif header.lower() == "content-type":
                headers.append(("content-type", value.encode()))
        records.append((None, request["body"].encode(), headers))
    return records


async def effective(dsn: str) -> dict[tuple[str, str, str], int]:
    rows = await fetch(dsn, "SELECT service, environment, kind FROM deployments WHERE outcome = 'success'")
    return dict(Counter(tuple(row) for row in rows))


async def frequency(dsn: str) -> dict[tuple[str, str], int]:
    query = """
        SELECT service, environment, sum(deployments)
        FROM deployment_frequency WHERE bucket = 'day' GROUP BY 1, 2
    """
    return {(row[0], row[1]): row[2] for row in await fetch(dsn, query)}


def environment(infra: Infra, topics: Topics, dsn: str, state: Path) -> dict[str, str]:
    return {
        "DORA_KAFKA": infra.kafka,
        "DORA_POSTGRES": dsn,
        "DORA_TOPIC_PREFIX": topics.prefix,
        "DORA_STATE_DIR": str(state),
        "DORA_WORKER_PORT": "0",
        "DORA_SESSION_TIMEOUT": "8",
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_unkeyed_shuffled_doubled_over_three_workers(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, seed: int
) -> None:
    records = 2 * (recorded("deployments") + recorded("events"))
    random.Random(seed).shuffle(records)
    workers = [
        Program("worker", tmp_path / str(n), environment(infra, topics, database, tmp_path / f"state{n}"))
        for n in range(3)
    ]
    try:
        for worker in workers:
            worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)

        async def right() -> bool:
            return await effective(database) == EXPECTED and await frequency(database) == FREQUENCY

        try:
            await eventually(right, seconds=60)
            await asyncio.sleep(2)
        finally:
            print(await effective(database), await frequency(database))
        assert await effective(database) == EXPECTED
        assert await frequency(database) == FREQUENCY
        fates = await fetch(database, "SELECT count(*), count(DISTINCT (source, id)) FROM cloudevents_raw")
        assert tuple(fates[0]) == (len(records) // 2, len(records) // 2)
    finally:
        for worker in workers:
            worker.kill()


async def test_references_tell_the_user_what_to_change(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    records = recorded("references")
    worker = Program("worker", tmp_path, environment(infra, topics, database, tmp_path / "state"))
    worker.start()
    try:
        await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
        query = "SELECT fate, reason, count(*) FROM cloudevents_raw GROUP BY 1, 2"

        async def recorded_all() -> bool:
            return sum(row[2] for row in await fetch(database, query)) == len(records)

        await eventually(recorded_all, what="a row for each reference")
        rows = await fetch(database, query)
        assert {row["fate"] for row in rows} == {"unmapped"}
        assert all("mode: Resource" in row["reason"] for row in rows)
        assert await effective(database) == {}
    finally:
        worker.kill()

"""The worker on a real Kafka and a real PostgreSQL: what is written to the topic ends in the tables."""

import json
from pathlib import Path

import pytest

from schemas.topics import Topics
from tests.infra.production import Record, count, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.infra.workers import Worker

pytestmark = pytest.mark.connected

GARBAGE: list[Record] = [
    (None, None, []),
    (b"\xff\xfe\x00", b"\x00\xffgarbage", []),
    (
        b"key",
        b"{}",
        [("ce_specversion", b"1.0"), ("ce_id", b"\xff"), ("ce_type", b"t"), ("ce_source", b"/s")],
    ),
    (None, b'{"some": "other application"}', [("content-type", b"application/json"), ("x-null", None)]),
    (None, b"not json", [("content-type", b"application/cloudevents+json")]),
]


def deployed(number: int, *, service: str = "checkout", day: int = 5) -> Record:
    """A native CDEvent as a producer would write it."""
    kind = "dev.cdevents.service.deployed.0.3.0"
    at = f"2026-03-{day:02d}T10:{number % 60:02d}:00Z"
    document = {
        "context": {
            "specversion": "0.5.1",
            "id": f"n{number}",
            "source": "/ci",
            "type": kind,
            "timestamp": at,
        },
        "subject": {
            "id": service,
            "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/c@1"},
        },
    }
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"n{number}".encode()),
        ("ce_source", b"/ci"),
        ("ce_type", kind.encode()),
        ("ce_time", at.encode()),
        ("content-type", b"application/json"),
    ]
    return None, json.dumps(document).encode(), headers


async def test_events_end_in_the_tables_and_garbage_in_the_dead_letters(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    records = [deployed(n) for n in range(40)] + GARBAGE + [deployed(n) for n in range(40, 60)]
    records += [deployed(3)]  # a duplicate
    await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
    with Worker(infra.kafka, topics, database, tmp_path / "worker") as worker:
        await worker.ready()

        async def settled() -> bool:
            return await count(database, "deployments") == 60 and await count(database, "deadletters") == 5

        try:
            await eventually(settled, what="60 deployments and 5 dead letters")
        except AssertionError:
            print(worker.log())
            raise
        rows = await fetch(database, "SELECT fate, count(*) AS n FROM cloudevents_raw GROUP BY fate")
        assert {row["fate"]: row["n"] for row in rows} == {"mapped": 60}

        async def counted() -> bool:
            rows = await fetch(
                database, "SELECT deployments, deployment_days FROM deployment_frequency ORDER BY bucket"
            )
            return [tuple(row) for row in rows] == [(60, 1)] * 4

        await eventually(counted, what="60 deployments in each bucket")
        assert worker.stop() == 0

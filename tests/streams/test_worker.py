"""A worker on a real Kafka and a real PostgreSQL: whatever is on the topic, everything ends somewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import Topics
from tests.infra.production import Record, count, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.streams.produced import cloudevent, deployed
from tests.streams.running import running, worker

pytestmark = pytest.mark.connected

FIXTURES = Path(__file__).parents[1] / "fixtures"

# Bytes. As much as a producer with the usual limits can send, a KafkaSink for one.
LARGEST = 1_048_300

FORGED_MARKS: Record = (
    None,
    b"{}",
    [("dora-origin", b"no origin"), ("dora-generation", b"1"), ("dora-targets", b"http://127.0.0.1:9/")],
)


async def fates(dsn: str) -> dict[str, tuple[str, str | None]]:
    """Fate and reason by the id of the event."""
    rows = await fetch(dsn, "SELECT id, fate, reason FROM cloudevents_raw")
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: (row["fate"], row["reason"]) for row in rows}


async def letters(dsn: str, topic: str) -> list[tuple[str, str, int]]:
    """Stage, reason and size of the dead letters that came from ``topic``."""
    query = """SELECT stage, reason, coalesce(octet_length(value), 0) FROM deadletters
               WHERE origin_topic = $1 ORDER BY 1, 2, 3"""
    return [tuple(row) for row in await fetch(dsn, query, topic)]


async def test_r10_b10_b13_b15_hostile_records_end_in_the_tables_and_nothing_stops(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    _, body, headers = deployed("traced")
    records: list[Record] = [
        (None, None, []),
        (None, b"{}", [("nul\0in the name", b"1"), ("x", None)]),
        (b"k", b"x" * LARGEST, []),
        cloudevent("large", b'"' + b"x" * (LARGEST - 200) + b'"'),
        deployed("large too", custom={"x": "x" * (LARGEST - 700)}),
        deployed("unknown member", more={"nul \0 in its name": 1}),
        deployed("year 9999", at="9999-12-31T23:59:59Z"),
        deployed("year 1", at="0001-01-01T00:00:00Z"),
        (None, body, [*headers, ("traceparent", b"\0nonsense"), ("x", None)]),
        deployed("good"),
    ]
    one = worker(infra, topics, database, tmp_path / "worker")
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
        for internal in ("observations", "functions", "cdevents", "deadletters"):
            await produce(
                infra.kafka, topics[internal], [FORGED_MARKS, (None, b"\xff", []), (None, None, [])]
            )

        async def settled() -> bool:
            return len(await fates(database)) == 7 and await count(database, "deployment_frequency") == 4

        await eventually(settled, what="every event recorded and counted")
        await one.settled()
        assert one.stop() == 0
    told = await fates(database)
    assert {event_id for event_id, (fate, _) in told.items() if fate == "mapped"} == {
        "large too",
        "traced",
        "good",
    }
    assert told["large"] == ("unmapped", "no transformer is routed for type 'com.example.unknown'")
    assert told["unknown member"][0] == "unmapped"
    assert "in its name' was unexpected" in str(told["unknown member"][1])
    no_event = "not a CloudEvent: no ce_ headers, and content-type is no event format"
    assert await letters(database, topics["cloudevents"]) == [
        ("read", no_event, 0),
        ("read", no_event, 2),
        ("read", no_event, LARGEST),
    ]
    assert [told[name][0] for name in ("year 9999", "year 1")] == ["unmapped", "unmapped"]
    assert "after its arrival" in str(told["year 9999"][1])
    assert "before 1990" in str(told["year 1"][1])
    assert await count(database, "deployments") == 3
    rows = await fetch(database, "SELECT DISTINCT deployments, deployment_days FROM deployment_frequency")
    assert [tuple(row) for row in rows] == [(3, 1)]
    rows = await fetch(database, "SELECT DISTINCT traceparent FROM cloudevents_raw")
    assert [row[0] for row in rows] == [None]


def under_the_id(event_id: str, record: Record) -> Record:
    """The same CDEvent in another envelope, as a relay sends it."""
    key, value, headers = record
    return key, value, [(name, event_id.encode() if name == "ce_id" else each) for name, each in headers]


async def test_p14_the_first_of_two_payloads_under_one_identity_wins(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one = worker(infra, topics, database, tmp_path / "worker")
    first, other = cloudevent("a", b'{"n":1}'), cloudevent("a", b'{"n":2}')
    same_batch = [cloudevent("b", None), cloudevent("b", b""), cloudevent("b", None)]
    same_batch += [under_the_id("w", deployed("w1")), under_the_id("w", deployed("w2"))]
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], [first, other, first, *same_batch], partitions=1)
        await one.settled()
        # In another batch and another partition, known only to PostgreSQL; and a mapped event.
        later = [other, deployed("d"), deployed("d"), deployed("d", artifact="pkg:oci/c@2")]
        await produce(infra.kafka, topics["cloudevents"], later, partitions=2)

        async def settled() -> bool:
            return await count(database, "deadletters") == 5 and await count(database, "deployments") == 2

        await eventually(settled, what="five dead letters and two deployments")
        await one.settled()
    rows = await fetch(database, "SELECT id, body FROM cloudevents_raw WHERE id IN ('a', 'b') ORDER BY 1")
    assert [tuple(row) for row in rows] == [("a", b'{"n":1}'), ("b", None)]
    rows = await fetch(database, "SELECT id, stage, reason, value FROM deadletters ORDER BY 1, 4")
    reason = "conflict: an event with this source and id is stored already, with other data"
    assert [tuple(row) for row in rows] == [
        ("a", "transform", reason, b'{"n":2}'),
        ("a", "transform", reason, b'{"n":2}'),
        ("b", "transform", reason, b""),
        ("d", "transform", reason, deployed("d", artifact="pkg:oci/c@2")[1]),
        ("w", "transform", reason, deployed("w2")[1]),
    ]
    # What lost was not passed on either.
    rows = await fetch(
        database, "SELECT cd_id, content->'subject'->'content'->>'artifactId' FROM cdevents_raw"
    )
    assert {tuple(row) for row in rows} == {("d", "pkg:oci/c@1"), ("w1", "pkg:oci/c@1")}
    assert await count(database, "cloudevents_raw") == 4


BUG = """
from streams.source import Source
transform = Source.transform

def buggy(self, event, catalog):
    if event.id.startswith("bug"):
        raise ZeroDivisionError
    return transform(self, event, catalog)

Source.transform = buggy
"""


async def test_r7_an_event_that_meets_a_bug_is_a_dead_letter_with_a_row_and_the_others_go_on(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    one = worker(infra, topics, database, tmp_path / "worker")
    one.before = BUG
    records = [deployed(f"good-{n}") for n in range(20)]
    records[7:7] = [deployed("bug-1"), deployed("bug-2")]
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], records, partitions=1)
        await one.settled()

        async def settled() -> bool:
            return await count(database, "deadletters") == 2 and await count(database, "deployments") == 20

        await eventually(settled, what="two dead letters and twenty deployments")
        assert one.starts == 1
        assert one.running
    reason = "ZeroDivisionError in stage transform"
    assert await letters(database, topics["cloudevents"]) == [
        ("transform", reason, len(deployed("bug-1")[1] or b"")),
        ("transform", reason, len(deployed("bug-2")[1] or b"")),
    ]
    dead = {event_id: fate for event_id, fate in (await fates(database)).items() if fate[0] == "dead"}
    assert dead == {"bug-1": ("dead", reason), "bug-2": ("dead", reason)}
    assert len(await fates(database)) == 22


def knative_records() -> dict[tuple[str, str], tuple[Record, dict[str, Any]]]:
    """What a KafkaSink wrote, without keys, and what must be found again, by source and id."""
    found = {}
    for path in sorted((FIXTURES / "payloads/knative-kafkasink-records").glob("*.json")):
        written = json.loads(path.read_text())
        headers = [(name, value.encode()) for name, value in written["headers"]]
        expected, body = written["expected_cloudevent"], written["value"]
        if written["mode"] == "structured":
            body = json.dumps(json.loads(body)["data"], separators=(",", ":"), ensure_ascii=False)
            assert body in written["value"], "the envelope holds the data in another form"
        record = (None, written["value"].encode(), headers)
        found[expected["source"], expected["id"]] = (record, {**expected, "body": body.encode()})
    return found


async def test_every_record_of_a_kafkasink_is_stored_once_with_a_fate_and_its_bytes(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    records = knative_records()
    assert len(records) == 30
    one = worker(infra, topics, database, tmp_path / "worker")
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], [record for record, _ in records.values()])

        async def settled() -> bool:
            return await count(database, "cloudevents_raw") == len(records)

        await eventually(settled, what="a row for every record")
        await one.settled()
    rows = await fetch(database, "SELECT * FROM cloudevents_raw")
    assert {(row["source"], row["id"]) for row in rows} == records.keys()
    for row in rows:
        expected = records[row["source"], row["id"]][1]
        assert (row["type"], row["body"]) == (expected["type"], expected["body"])
        assert row["fate"] == "mapped" or row["reason"], row["type"]
    assert await count(database, "deadletters") == 0


CATALOG = """
services:
  checkout:
    workloads: [checkout-*, kasse]
environments:
  production: [prod, live, prod-*]
"""


async def test_workloads_that_the_catalog_makes_one_service_are_counted_together(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    """Whatever they are called, they meet in one partition, and so in one window."""
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    names = [f"checkout-{n}" for n in range(6)] + ["kasse", "checkout"]
    environments = ["prod", "live", "production", *(f"prod-{n}" for n in range(5))]
    records = [
        deployed(f"{service} {environment}", service=service, environment=environment)
        for service in names
        for environment in environments
    ]
    one = worker(infra, topics, database, tmp_path / "worker", catalog=str(tmp_path / "catalog.yaml"))
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)

        async def settled() -> bool:
            return await count(database, "deployments") == len(records)

        await eventually(settled, what="every deployment")
        await one.settled()
    rows = await fetch(
        database, "SELECT DISTINCT service, environment, deployments FROM deployment_frequency"
    )
    assert [tuple(row) for row in rows] == [("checkout", "production", len(records))]

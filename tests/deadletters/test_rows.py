"""Rows of the table of faults that need a whole pipeline, all on the same one."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from access.kafka import Cluster
from deploy.offsets import watching
from schemas.calendar import bucket_of
from tests.deadletters.plant import GITHUB_SECRET, GITLAB_KEY, Plant, event
from tests.infra.databases import execute
from tests.infra.production import eventually
from tests.streams.produced import cloudevent, deployed

pytestmark = pytest.mark.connected

PAYLOADS = Path(__file__).parents[1] / "fixtures" / "payloads"
STRUCTURED = {"content-type": "application/cloudevents+json"}


def native(event_id: str, service: str, **content: Any) -> tuple[bytes, dict[str, str]]:
    """A deployment as a CDEvent, for POST."""
    _, body, headers = deployed(event_id, service=service, **content)
    told = {name.replace("ce_", "ce-"): (value or b"").decode() for name, value in headers}
    return body or b"", told


async def test_p13_the_same_event_twice_and_fifty_times_at_once_is_one_row_and_one_effect(plant: Plant):
    body, headers = native("p13", "p13")
    assert [await plant.post(body, headers) for _ in range(2)] == [202, 202]
    assert await asyncio.gather(*(plant.post(body, headers) for _ in range(50))) == [202] * 50
    await plant.settled()
    assert await plant.fate("p13") == ("mapped", None)
    assert await plant.letters("p13") == []
    assert await plant.value("SELECT count(*) FROM deployments WHERE service = 'p13'") == 1
    counted = "SELECT DISTINCT deployments FROM deployment_frequency WHERE service = 'p13'"
    assert [tuple(row) for row in await plant.rows(counted)] == [(1,)]


async def test_p14_other_data_under_the_same_identity_is_accepted_counted_and_quarantined(plant: Plant):
    conflict = "conflict: an event with this source and id is stored already, with other data"
    before = await plant.told("/v1/deadletters?reason=conflict&limit=100")
    first, headers = native("p14", "p14")
    assert await plant.post(first, headers) == 202
    await eventually(lambda: _has_fate(plant, "p14"), what="the first")
    other, headers = native("p14", "p14-other")
    assert await plant.post(other, headers) == 202
    letter = await plant.letter("p14")
    assert (letter["reason"], letter["value"], letter["stage"]) == (conflict, other, "transform")
    assert await plant.fate("p14") == ("mapped", None)
    assert await plant.value("SELECT body FROM cloudevents_raw WHERE id = 'p14'") == first
    services = await plant.rows("SELECT service FROM deployments WHERE service LIKE 'p14%'")
    assert [row["service"] for row in services] == ["p14"]
    told = await plant.told("/v1/deadletters?reason=conflict&limit=100")
    assert len(told["items"]) == len(before["items"]) + 1
    assert 'dora_dead_letters_total{stage="transform"}' in await plant.metrics()


async def _has_fate(plant: Plant, event_id: str) -> bool:
    return await plant.fate(event_id) is not None


def github(body: bytes, delivery: str, kind: str) -> dict[str, str]:
    """What GitHub sends along."""
    signature = hmac.new(GITHUB_SECRET, body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-github-event": kind,
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={signature}",
    }


def gitlab(body: bytes, delivery: str, at: float) -> dict[str, str]:
    """What GitLab sends along with a signing token."""
    signed = f"{delivery}.{int(at)}.".encode() + body
    digest = base64.b64encode(hmac.digest(GITLAB_KEY, signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "x-gitlab-event": "Push Hook",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{digest}",
    }


async def test_a9_a_replayed_delivery_is_a_duplicate_at_any_replica_and_after_a_restart(plant: Plant):
    body = (PAYLOADS / "github/push/default.goscm-push.json").read_bytes()
    headers = github(body, "a9-delivery", "push")
    assert await plant.post(body, headers, "/webhooks/github") == 202
    await eventually(lambda: _has_fate(plant, "a9-delivery"), what="the first delivery")
    await plant.settled()
    effects = [await plant.value(f"SELECT count(*) FROM {table}") for table in ("changes", "cdevents_raw")]  # noqa: S608
    row = await plant.rows("SELECT * FROM cloudevents_raw WHERE id = 'a9-delivery'")
    assert await plant.post(body, headers, "/webhooks/github", replica=True) == 202
    await asyncio.to_thread(plant.replica.kill)
    plant.replica.start()
    await plant.replica.ready()
    assert await plant.post(body, headers, "/webhooks/github", replica=True) == 202
    # A timestamp that is signed: within its window a duplicate as well, outside of it nothing at all.
    push = json.dumps({"object_kind": "push", "ref": "refs/heads/main", "project": {"id": 1}}).encode()
    fresh, stale = gitlab(push, "a9-fresh", time.time() - 250), gitlab(push, "a9-stale", time.time() - 301)
    for replica in (False, True):
        assert await plant.post(push, fresh, "/webhooks/gitlab", replica=replica) == 202
        assert await plant.post(push, stale, "/webhooks/gitlab", replica=replica) == 401
    await plant.settled()
    assert await plant.rows("SELECT * FROM cloudevents_raw WHERE id = 'a9-delivery'") == row
    seen = await plant.rows("SELECT id FROM cloudevents_raw WHERE id IN ('a9-fresh', 'a9-stale')")
    assert [each["id"] for each in seen] == ["a9-fresh"]
    assert await plant.letters("a9-delivery") == []
    made = "SELECT count(*) FROM cdevents_raw WHERE cause_id <> 'a9-fresh'"
    assert [await plant.value("SELECT count(*) FROM changes"), await plant.value(made)] == effects


async def test_a12_authentic_events_are_accepted_whether_they_map_or_break(plant: Plant):
    """A provider that is told of our faults disables the hook after a few of them."""
    body = b'{"zen": "Design for failure."}'
    plant.broken.touch()
    for delivery in ("a12-unheard-of", "a12-bug", "a12-next"):
        headers = github(body, delivery, "never_heard_of")
        assert await plant.post(body, headers, "/webhooks/github") == 202
    letter = await plant.letter("a12-bug")
    await plant.settled()
    plant.broken.unlink()
    for delivery in ("a12-unheard-of", "a12-next"):
        fate, reason = await plant.fate(delivery) or ("", "")
        assert (fate, bool(reason)) == ("unmapped", True)
    reason = "ZeroDivisionError in stage transform"
    assert await plant.fate("a12-bug") == ("dead", reason)
    assert (letter["reason"], letter["value"]) == (reason, body)
    assert "s3cret" not in json.dumps([dict(letter)], default=str)


async def test_b8_numbers_are_kept_to_the_digit_or_refused(plant: Plant):
    exact = b'{"a":9223372036854775808,"b":9007199254740993,"c":-0,"d":1e400,"e":0.1000}'
    kept = b'{"a":9223372036854775808,"b":9007199254740993,"c":-0,"e":0.1000}'
    head = b'{"specversion":"1.0","id":"%s","source":"/s","type":"t","data":%s}'
    assert await plant.post(head % (b"b8", kept), STRUCTURED) == 202
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1" * 5000, b"1e999"):
        assert await plant.post(head % (b"b8-refused", b'{"n":%s}' % number), STRUCTURED) == 400
    # In binary mode data are the sender's bytes, whatever they are.
    data = {"b8-exact": exact, "b8-nan": b'{"n": NaN}', "b8-digits": b'{"n":%s}' % (b"9" * 5000)}
    for event_id, body in data.items():
        assert await plant.post(*event(event_id, body)) == 202
    await plant.settled()
    rows = await plant.rows(
        "SELECT id, body, content::text AS content FROM cloudevents_raw WHERE id LIKE 'b8%'"
    )
    found = {row["id"]: row for row in rows}
    assert found.keys() == {"b8", *data}
    assert found["b8"]["body"] == kept
    assert kept.decode() in found["b8"]["content"]
    for event_id, body in data.items():
        assert found[event_id]["body"] == body
        assert await plant.told(f"/v1/events?source=/s&id={event_id}")


async def test_b10_b11_any_text_is_stored_as_it_is_and_identities_are_compared_by_their_bytes(plant: Plant):
    # NFC and NFD, a direction mark, a zero-width space, an emoji beyond the first plane.
    texts = [
        "\u00e9",
        "e\u0301",
        "a\u202eb",
        "a\u200bb",
        "\U0001f600",
        "a" + "\u0301" * 300_000,
        "\\u0000",
        "\\ud800",
    ]
    bodies = [f'{{"text": "{text}"}}'.encode() for text in texts]
    for number, body in enumerate(bodies):
        assert await plant.post(*event(f"b11-{number}", body)) == 202
    for identity in ("b11-\u00e9", "b11-e\u0301", "b11-\U0001f600", "b11-a\u200bb"):
        structured = json.dumps(
            {"specversion": "1.0", "id": identity, "source": "/s", "type": "t"}, ensure_ascii=False
        )
        assert await plant.post(structured.encode(), STRUCTURED) == 202
    for hostile in ("b10-\\u0000", "b11-\\ud800"):
        structured = f'{{"specversion":"1.0","id":"{hostile}","source":"/s","type":"t"}}'
        assert await plant.post(structured.encode(), STRUCTURED) == 400
    # What comes over Kafka has passed no ingress.
    nul = cloudevent("b10-nul\0")
    names = (None, b"{}", [*cloudevent("b10-name")[2], ("nul\0", b"\0")])
    await plant.send(nul, names, (None, b'{"b10": "\\u0000"}', cloudevent("b10-body")[2]))
    await plant.settled()
    assert plant.worker.running
    assert plant.worker.starts == 1
    stored = await plant.rows(
        "SELECT id, body, fate FROM cloudevents_raw WHERE id LIKE 'b11%' OR id LIKE 'b10%'"
    )
    found = {row["id"]: row["body"] for row in stored}
    assert [found[f"b11-{number}"] for number in range(len(bodies))] == bodies
    assert {"b11-\u00e9", "b11-e\u0301"} <= found.keys(), "two events, though they look the same"
    assert found["b10-name"] == b"{}"
    assert found["b10-body"] == b'{"b10": "\\u0000"}'
    letters = await plant.rows(
        "SELECT reason FROM deadletters WHERE stage = 'read' AND headers::text LIKE $1",
        f"%{base64.b64encode(b'b10-nul' + bytes(1)).decode()}%",
    )
    assert len(letters) == 1


async def test_b14_names_that_frameworks_obey_are_data_like_any_other(plant: Plant):
    body = b'{"__faust": {"ns": "streams.records.Arrival"}, "__proto__": {"x": 1}, "constructor": {"a": 1}}'
    _, _, headers = cloudevent("b14")
    reply = [("Faust-Ag-ReplyTo", b"deadletters"), ("Faust-Ag-CorrelationId", b"1")]
    await plant.send((None, body, [*headers, *reply]))
    assert await plant.post(*event("b14-post", body)) == 202
    await plant.settled()
    for event_id in ("b14", "b14-post"):
        assert (await plant.fate(event_id) or "")[0] == "unmapped"
        assert await plant.value("SELECT body FROM cloudevents_raw WHERE id = $1", event_id) == body
    assert plant.worker.starts == 1


async def test_d4_one_row_that_a_constraint_refuses_costs_no_other(plant: Plant):
    events = [deployed(f"d4-{number}", service=f"d4-{number}") for number in range(60)]
    await execute(
        plant.dsn,
        "ALTER TABLE cloudevents_raw ADD CONSTRAINT d4 CHECK (id <> 'd4-17');"
        "ALTER TABLE deployments ADD CONSTRAINT d4 CHECK (service <> 'd4-42')",
    )
    try:
        await plant.send(*events)
        await plant.settled()
    finally:
        await execute(
            plant.dsn,
            "ALTER TABLE cloudevents_raw DROP CONSTRAINT d4; ALTER TABLE deployments DROP CONSTRAINT d4",
        )
    dead = await plant.rows("SELECT deadletter_id, id, stage, reason FROM deadletters WHERE id LIKE 'd4-%'")
    # Halving the batch tells its CDEvents again, so that the fact may be refused more than once.
    assert {tuple(row)[1:] for row in dead} == {
        ("d4-17", "transform", "CheckViolationError in stage transform"),
        ("d4-42", "record", "CheckViolationError in stage record"),
    }
    rows = await plant.rows("SELECT id FROM cloudevents_raw WHERE id LIKE 'd4-%'")
    assert {row["id"] for row in rows} == {f"d4-{number}" for number in range(60)} - {"d4-17"}
    recorded = "SELECT count(*) FROM deployments WHERE service LIKE 'd4-%'"
    assert await plant.value(recorded) == 59, "17 was told before its row was refused, 42 was not"
    # Once the fault is found, both are what they would have been: a row, and a fact.
    done = await plant.order("redrive", *(str(row["deadletter_id"]) for row in dead))
    assert done.returncode == 0, done.stdout + done.stderr
    assert await plant.fate("d4-17") == ("mapped", None)
    await plant.settled()
    assert await plant.value(recorded) == 60
    rule = "SELECT DISTINCT rule FROM cdevents_raw WHERE cause_id LIKE 'd4-%'"
    assert [row["rule"] for row in await plant.rows(rule)] == ["cdevents"]


async def test_r10_versions_that_nobody_knows_and_programs_that_nobody_asked(plant: Plant):
    _, body, headers = deployed("r10")
    newer = (body or b"").replace(b"deployed.0.3.0", b"deployed.9.9.0").replace(b'"0.5.1"', b'"9.9.9"')
    named = [(n, v.replace(b"0.3.0", b"9.9.0").replace(b"r10", b"r10-newer") if v else v) for n, v in headers]
    other = [(name, b"2.0" if name == "ce_specversion" else value) for name, value in headers]
    await plant.send((None, newer, named), (None, body, other), (None, None, []), (b"k", None, headers[:1]))
    await plant.send((None, body, headers), topic="cdevents")
    await plant.send(deployed("r10-after"))
    await plant.settled()
    assert (await plant.fate("r10-newer") or "")[0] in ("unmapped", "mapped")
    assert await plant.fate("r10-after") == ("mapped", None)
    assert await plant.fate("r10") is None
    letters = await plant.letters("r10")
    assert [(row["stage"], row["origin_topic"]) for row in letters] == [("record", plant.topics["cdevents"])]
    done = await plant.order("redrive", str(letters[0]["deadletter_id"]))
    assert "another program wrote it to the cdevents topic" in done.stderr
    assert plant.worker.starts == 1


async def test_r12_markers_of_transactions_are_passed_and_committed(plant: Plant):
    """A topic whose last entry is no record would seem unfinished for ever."""
    producer = AIOKafkaProducer(
        bootstrap_servers=plant.infra.kafka, transactional_id=f"{plant.topics.prefix}r12", acks="all"
    )
    await producer.start()
    try:
        for number in range(3):
            async with producer.transaction():
                for partition in range(plant.topics.partitions):
                    key, body, headers = cloudevent(f"r12-{number}-{partition}")
                    await producer.send(plant.topics["cloudevents"], body, key, partition, headers=headers)
        await producer.begin_transaction()
        await producer.send_and_wait(plant.topics["cloudevents"], b"{}", headers=cloudevent("r12-aborted")[2])
        await producer.abort_transaction()
    finally:
        await producer.stop()
    await plant.settled()
    recorded = "SELECT count(*) FROM cloudevents_raw WHERE id LIKE 'r12-_-%'"
    assert await plant.value(recorded) == 3 * plant.topics.partitions
    async with watching(Cluster(plant.infra.kafka), plant.topics.application(1)) as offsets:

        async def committed() -> bool:
            names = [plant.topics["cloudevents"]]
            return await offsets.committed(names) == await offsets.ends(names)

        await eventually(committed, 15, "everything committed, markers included")


async def test_r17_a_year_of_history_mixed_with_live_events_counts_as_in_order(plant: Plant):
    today = datetime.now(UTC).replace(microsecond=0)
    times = [today - timedelta(days=day, hours=day % 24) for day in range(366)]
    history = [
        deployed(f"r17-{n}", service="r17", at=at.isoformat().replace("+00:00", "Z"))
        for n, at in enumerate(times)
    ]
    again = Random(17).sample(history, 100)
    mixed = [*history, *again]
    Random(18).shuffle(mixed)
    live = [
        deployed(f"r17-live-{n}", service="r17", at=today.isoformat().replace("+00:00", "Z"))
        for n in range(20)
    ]

    async def backfill() -> None:
        await plant.send(*mixed)

    async def go_on() -> None:
        for each in live:
            await plant.send(each)

    await asyncio.gather(backfill(), go_on())
    await plant.settled()
    expected: Counter[tuple[str, datetime]] = Counter()
    for at in [*times, *[today] * 20]:
        for bucket in ("day", "week", "month", "year"):
            expected[bucket, bucket_of(at, bucket, UTC)[0]] += 1
    rows = await plant.rows(
        "SELECT bucket, bucket_start, deployments FROM deployment_frequency WHERE service = 'r17'"
    )
    assert {(row["bucket"], row["bucket_start"]): row["deployments"] for row in rows} == dict(expected)

"""Bad inputs written straight onto a topic, past the ingress: the worker is as strict, and goes on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.topics import Topics
from tests.infra.production import count, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.infra.workers import Worker
from tests.streams.produced import cloudevent, deployed

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2)]

STATUS = "com.github.deployment_status"
# A GitHub deployment that would count, but for what stands in the braces.
PAYLOAD = (
    '{"action":"created","deployment_status":{"state":"success","created_at":"%s","environment":"production"%s},'
    '"deployment":{"id":%s,"sha":"b4f9","environment":"production"},"repository":{"full_name":"acme/shop",'
    '"html_url":"https://github.com/acme/shop"}}'
)
PAST = "2026-03-05T10:00:00Z"
NOW = datetime.now(UTC)  # the broker's clock is this machine's
FUTURE = (NOW + timedelta(days=730)).strftime("%Y-%m-%dT%H:%M:%SZ")


def status(at: str = PAST, more: str = "", identity: str = "1") -> bytes:
    return (PAYLOAD % (at, more, identity)).encode()


# id, type, body -> fate, and what the reason says
CASES: dict[str, tuple[bytes, str, str]] = {
    "b6 deep": (b'{"a":' * 500 + b"1" + b"}" * 500, "unmapped", "deeper than 128"),
    "b6 recursion": (b"[" * 100_000, "unmapped", "not valid JSON"),
    "b7 twice": (status(more=',"state":"failure"'), "unmapped", "twice"),
    "b8 nan": (status(identity="NaN"), "unmapped", "not valid JSON"),
    "b8 infinite": (status(identity="1e999"), "unmapped", "not valid JSON"),
    "b8 wide": (status(identity="12345678901234567890123"), "unmapped", "64 bits"),
    "b8 huge": (status(identity="9" * 5000), "unmapped", "not valid JSON"),
    "b8 exact": (status(identity="9007199254740993"), "mapped", ""),
    "b9 latin": (status(more=',"x":"\xe9"').decode().encode("latin-1"), "unmapped", "not valid JSON"),
    "b9 utf-16": (status().decode().encode("utf-16"), "unmapped", "not valid JSON"),
    "b9 mark": (b"\xef\xbb\xbf" + status(), "unmapped", "not valid JSON"),
    "b10 nul": (status(more=',"description":"a\\u0000b","k\\u0000":1', identity="10"), "mapped", ""),
    "b11 surrogate": (status(more=',"x":"\\ud800"'), "unmapped", "not valid JSON"),
    "b12 array": (b"[]", "unmapped", ""),
    "b12 null": (b"null", "unmapped", ""),
    "b12 empty": (b"", "unmapped", "not valid JSON"),
    "b13 future": (status(FUTURE, identity="13"), "unmapped", "after its arrival"),
    "b13 year 1": (status("0001-01-01T00:00:00Z", identity="14"), "unmapped", "years 1990 to 2200"),
    "b13 naive": (status("2026-03-05T10:00:00", identity="15"), "unmapped", "not a time with a zone"),
}


async def test_b6_b7_b8_b9_b10_b11_b12_b13_what_the_worker_makes_of_it(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    records = [cloudevent(name, body, event_type=STATUS) for name, (body, _, _) in CASES.items()]
    records += [cloudevent(text) for text in ("é", "e\u0301", "\u202e", "a\u200b", "😀")]
    records += [deployed("native future", at=FUTURE), deployed("native past", at="2016-03-05T10:00:00Z")]
    with Worker(infra.kafka, topics, database, tmp_path / "worker") as worker:
        await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)
        await eventually(lambda: stored(database, len(records)), seconds=60, what="all rows")
        rows = {
            row["id"]: row
            for row in await fetch(database, "SELECT id, fate, reason, body FROM cloudevents_raw")
        }
        for name, (body, fate, reason) in CASES.items():
            row = rows[name]
            assert (name, row["fate"], row["body"]) == (name, fate, body)
            assert reason in (row["reason"] or ""), (name, row["reason"])
        assert {"é", "e\u0301", "\u202e", "a\u200b", "😀"} <= rows.keys()
        assert rows["native future"]["fate"] == "unmapped"
        assert rows["native past"]["fate"] == "mapped"
        await eventually(lambda: counts(database, 3), what="the three deployments that count")
        assert worker.running
    latest = await fetch(database, "SELECT max(bucket_start) FROM deployment_frequency")
    assert latest[0][0] <= NOW
    assert await count(database, "deadletters") == 0
    listed = await fetch(database, "SELECT body FROM cloudevents_raw WHERE id = 'b10 nul'")
    assert json.loads(listed[0][0])["deployment_status"]["description"] == "a\0b"


async def stored(dsn: str, number: int) -> bool:
    return await count(dsn, "cloudevents_raw") == number


async def counts(dsn: str, number: int) -> bool:
    return await count(dsn, "deployments") == number

"""Links from end to end: any order and repetition of events ends in the same; a recompute agrees."""

import json
from pathlib import Path
from random import Random

import pytest

from deploy.attributing import message_of
from deploy.recompute import recompute
from schemas.cdevents.event import CDEvent
from schemas.topics import Topics
from streams.links import Attribution
from streams.sinks.columns import names_of
from tests.infra.production import Record, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.links.telling import hour
from tests.streams.running import running, worker
from tests.streams.test_recompute import plan
from tests.streams.test_relink import EXPECTED, STORY

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4), pytest.mark.timeout(180)]


def record_of(event: CDEvent) -> Record:
    """A native CDEvent as a producer writes it."""
    attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    headers: list[tuple[str, bytes | None]] = [(f"ce_{k}", v.encode()) for k, v in attributes.items()]
    return None, json.dumps(event.document).encode(), [*headers, ("content-type", b"application/json")]


def correction() -> Record:
    """``dora attribute d1 --not-failed``, as it reaches the topic."""
    event = message_of("d1", {"failed": False}, hour(30)).body
    return None, event, [("content-type", b"application/cloudevents+json")]


async def links(dsn: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    columns = ", ".join(names_of(Attribution))
    where = "WHERE service = 'shop' AND environment = 'production'"
    attributions = await fetch(dsn, f"SELECT {columns} FROM attributions {where}")  # noqa: S608
    changes = await fetch(dsn, f"SELECT * FROM deployed_changes {where}")  # noqa: S608
    return sorted(map(tuple, attributions), key=repr), sorted(map(tuple, changes), key=repr)


async def test_the_stream_and_a_recompute_end_in_the_same_links(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record_of(event) for event in (*STORY, *STORY)]
    Random(3).shuffle(records)
    program = worker(infra, topics, database, tmp_path / "worker")
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    await produce(infra.kafka, topics["cloudevents"], records, topics.partitions)

    async def linked() -> bool:
        return await links(database) == EXPECTED

    async def corrected() -> bool:
        rows = await fetch(database, "SELECT failure_rule FROM attributions WHERE deploy_id = 'd1'")
        return [row["failure_rule"] for row in rows] == [None]

    async with running(program):
        await eventually(linked, what="the links of the story")
        await produce(infra.kafka, topics["cloudevents"], [correction()])
        await eventually(corrected, what="the correction of d1")
        before = await links(database)
        done = await recompute(plan(infra, topics, database), lambda *_: None)
        assert done.generation == 2
        assert await links(database) == before != EXPECTED

"""More partitions: keys come to other workers than before, and every count stays right."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from access.kafka import Cluster
from deploy.kafka_topics import TopicError
from deploy.recompute import Plan, recompute
from schemas.catalog import Catalog
from schemas.topics import Topics
from tests.infra.production import count, fetch, produce
from tests.infra.servers import Infra
from tests.streams.produced import deployed
from tests.streams.running import running, worker
from tests.streams.test_recompute import settled

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2), pytest.mark.timeout(150)]
SERVICES, DAYS = 12, 5


def deployments(prefix: str) -> list:
    """One of each service on each day."""
    return [
        deployed(f"{prefix}-{service}-{day}", service=f"s{service}", at=f"2026-03-{day + 2:02d}T10:00:00Z")
        for service in range(SERVICES)
        for day in range(DAYS)
    ]


async def weeks(database: str) -> set[tuple[str, int]]:
    found = await fetch(
        database, "SELECT service, deployments FROM deployment_frequency WHERE bucket = 'week'"
    )
    return {tuple(row) for row in found}


async def test_partitions_grow_with_a_recompute_and_events_wait_meanwhile(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The same keys before and after, in the same windows: a count that begins anew would be too low."""
    old = worker(infra, topics, database, tmp_path / "old")
    for name, value in old.environment.items():
        monkeypatch.setenv(name, value)
    more = topics.with_partitions(6)
    plan = Plan(Cluster(infra.kafka), database, topics, (topics["cloudevents"],), None, Catalog.empty())
    plan = replace(plan, partitions=6)
    await produce(infra.kafka, topics["cloudevents"], deployments("before"), 2)
    async with running(old):
        await settled(database, old, SERVICES * DAYS)
        with pytest.raises(TopicError, match="stop all workers"):
            await recompute(plan, lambda *_: None)
        assert await asyncio.to_thread(old.stop) == 0
    await produce(infra.kafka, topics["cloudevents"], deployments("meanwhile"), 2)
    assert (await recompute(plan, lambda *_: None)).generation == 2
    await produce(infra.kafka, topics["cloudevents"], deployments("after"), 6)

    # Who was not told of it is refused, with the number.
    old.start()
    assert await asyncio.to_thread(old.process.wait, 30) != 0
    assert "has 6 partitions, expected 2" in old.log()

    new = [worker(infra, more, database, tmp_path / f"new-{number}") for number in range(2)]
    async with running(*new):
        for each in new:
            await settled(database, each, 3 * SERVICES * DAYS)
        assert await weeks(database) == {(f"s{service}", 3 * DAYS) for service in range(SERVICES)}
        assert await count(database, "deployments") == 3 * SERVICES * DAYS
    # Done again, it has nothing to add; and fewer cannot be had.
    with pytest.raises(TopicError, match="has 6 partitions, and Kafka takes none away"):
        await recompute(replace(plan, topics=more, partitions=3), lambda *_: None)

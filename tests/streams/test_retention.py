"""`dora retain` and `dora recompute --check` on what a real worker has recorded."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.kafka import Cluster
from deploy import agreement
from deploy.recompute import Plan, recompute
from deploy.retention import Retained, old, retain
from schemas.catalog import Catalog
from schemas.topics import Topics
from streams.configuration import digest_of
from tests.infra.commands import dora
from tests.infra.databases import execute
from tests.infra.production import count, eventually, produce
from tests.infra.servers import Infra
from tests.streams.produced import cloudevent, deployed
from tests.streams.running import running, worker
from tests.streams.test_recompute import everything, settled

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2), pytest.mark.timeout(120)]
CATALOG, ROUTES = Catalog.empty().facts_digest, digest_of(None)


DEPLOYMENT = """
INSERT INTO deployments (deploy_id, time_created, deploy_name, service, environment, channel, kind, outcome,
                         counted, counted_reason, decided_at, cd_source, cd_id)
VALUES ('d', now(), 'web', 'web', 'production', 'native', 'deployed', 'success',
        true, 'deployed', now(), '/ci', 'c')
"""


async def differences(database: str) -> list[str]:
    return await agreement.differences(database, CATALOG, ROUTES, settling=0)


async def test_what_is_old_is_emptied_and_nothing_that_follows_from_it_changes(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    one = worker(infra, topics, database, tmp_path / "worker")
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    later = datetime.now(UTC) + timedelta(hours=1)
    days = [f"2026-03-{day:02d}T10:00:00Z" for day in range(2, 14)]
    records = [deployed(f"n{n}", at=at) for n, at in enumerate(days)]
    await produce(infra.kafka, topics["cloudevents"], [*records, (None, b"garbage", [])], topics.partitions)
    async with running(one):
        await settled(database, one, len(records))
        before = await everything(database)
        assert await old(database, later - timedelta(days=1)) == Retained(0, 0), "nothing is that old"
        assert await old(database, later) == Retained(len(records), 0)
        await execute(
            database, "UPDATE cloudevents_raw SET received_at = received_at - interval '1 y' WHERE id = 'n0'"
        )
        assert await retain(database, later - timedelta(days=30)) == Retained(1, 0)
        assert await retain(database, later) == Retained(len(records) - 1, 0), "an open dead letter stays"
        assert await retain(database, later) == Retained(0, 0)
        assert await count(database, "cloudevents_raw WHERE content IS NULL AND body IS NULL") == len(records)

        # The same event, and another under its name: both are still known for what they are.
        known = [deployed("n3", at=days[3]), deployed("n4", at=days[4], service="another")]
        await produce(infra.kafka, topics["cloudevents"], known, topics.partitions)

        async def a_conflict() -> bool:
            return await count(database, "deadletters WHERE id = 'n4'") == 1

        await eventually(a_conflict, what="the conflict")
        await execute(
            database, "UPDATE deadletters SET state = 'dropped', settled_at = now() WHERE id = 'n4'"
        )
        assert await retain(database, later) == Retained(0, 1)
        assert await differences(database) == []
        plan = Plan(Cluster(infra.kafka), database, topics, (topics["cloudevents"],), None, Catalog.empty())
        assert (await recompute(plan, lambda *_: None)).generation == 2
    after = await everything(database)
    for table in ("cdevents", "deployments", "frequency"):
        assert after[table] == before[table], table
    assert await differences(database) == []


async def test_what_does_not_agree_is_named(infra: Infra, topics: Topics, database: str, tmp_path: Path):
    one = worker(infra, topics, database, tmp_path / "worker")
    records = [deployed(f"n{n}", at=f"2026-03-{n + 2:02d}T10:00:00Z") for n in range(5)]
    await produce(infra.kafka, topics["cloudevents"], [*records, cloudevent("u")], topics.partitions)
    async with running(one):
        await settled(database, one, 6)
    done = dora("recompute", "--check", **one.environment)
    assert (done.returncode, done.stdout) == (0, "everything agrees\n"), done.stderr
    await execute(database, "UPDATE deployment_frequency SET deployments = 4 WHERE bucket = 'week'")
    await execute(database, "DELETE FROM cdevents_raw WHERE cause_id = 'n1'")
    assert await agreement.differences(database, "another", ROUTES, settling=0) == [
        "the rows are made with another catalog than now",
        "checkout in production, week of 2026-03-02: 4 in deployment_frequency, 5 deployments",
        "the event n1 of /ci became n1, which is not recorded",
    ]


async def test_a_difference_that_goes_away_is_none(database: str):
    """What an event changes is in one table before the other."""
    await execute(database, DEPLOYMENT)
    assert len(await differences(database)) == 4, "the windows know nothing of it yet"
    looking = asyncio.create_task(agreement.differences(database, CATALOG, ROUTES, settling=30))
    await asyncio.sleep(0.2)
    await execute(database, "DELETE FROM deployments")
    assert await looking == []


@pytest.mark.parametrize("said", ["soon", "400"])
def test_a_time_that_is_none_is_told(said: str):
    done = dora("retain", "--older-than", said, "--postgres", "postgresql://127.0.0.1:1/none")
    assert done.returncode == 2
    assert "write 30m, 12h, 7d" in done.stderr


def test_without_a_time_nothing_is_removed():
    done = dora("retain", "--postgres", "postgresql://127.0.0.1:1/none")
    assert done.returncode == 2
    assert "--older-than" in done.stderr

"""The workers' tables are lost, damaged or of another kind; the database goes back to last night."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.postgres import binary
from deploy.offsets import begin_group, watching
from schemas.topics import Topic
from streams.records import GENERATION
from tests.faults.invariants import assert_invariants, records_of
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.faults.topics import copy, make_anew
from tests.infra.commands import dora
from tests.infra.production import eventually, produce
from tests.infra.programs import Program
from tests.streams.produced import recorded

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(240)]


async def pause(scene: Scene) -> Program:
    """Stop the only worker."""
    (worker,) = scene.workers
    await scene.release(worker)
    assert await asyncio.to_thread(worker.stop) == 0, worker.log()
    return worker


async def go_on(scene: Scene, *, fresh: bool = False) -> None:
    """Start it again; with nothing on its disk when ``fresh``."""
    (worker,) = scene.workers
    if fresh:
        shutil.rmtree(worker.folder / "state")
    scene.keep(worker)
    await scene.ready()
    await scene.settled()


async def refused(worker: Program) -> str:
    """Start it, and wait until it has ended by itself with 1: the end of its log."""
    worker.start()

    async def gone() -> bool:
        return not worker.running

    await eventually(gone, 60, "the end of a worker that cannot use its tables")
    assert worker.process is not None
    assert worker.process.returncode == 1, worker.log()
    return worker.log()


async def rebuild(scene: Scene) -> None:
    """dora recompute, and the worker on the new generation."""
    (worker,) = scene.workers
    told = await asyncio.to_thread(
        dora,
        "recompute",
        timeout=150,
        **{**worker.environment, "DORA_STATE_DIR": str(scene.folder / "rebuilt")},
    )
    assert told.returncode == 0, told.stderr
    scene.generation += 1
    await scene.ready()
    await scene.settled()


def changelogs(scene: Scene) -> list[Topic]:
    return [topic for topic in scene.topics.all() if topic.role == "changelog"]


def named(scene: Scene, table: str) -> Topic:
    """The changelog of a table."""
    return next(topic for topic in changelogs(scene) if topic.name == scene.topics.changelog(table, 1))


async def test_r14_r15_a_fresh_disk_gives_the_same_values(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path)) as scene:
        await scene.post(300)
        await scene.settled()
        await pause(scene)
        await go_on(scene, fresh=True)
        # What was counted stays counted, and what comes now lands in windows that were read back.
        await scene.post_again(range(100))
        await scene.post(200)
        await scene.settled()
        await assert_invariants(scene)


async def test_r13_lost_changelogs_stop_the_worker_and_a_recompute_restores_them(
    servers: Servers, tmp_path: Path
):
    async with opened(Scene(servers, tmp_path)) as scene:
        await scene.post(300)
        await scene.settled()
        worker = await pause(scene)
        placed = named(scene, "placed")
        half = [record async for record in records_of(scene, placed.name)]
        # Cut short: the disk knows more than the changelog has.
        await make_anew(scene.cluster, [placed])
        await produce(servers.kafka.address, placed.name, copy(half[: len(half) // 2]), partitions=4)
        assert "delete that folder" in await refused(worker)
        # Empty, all of them, and no disk: the counts begin anew and are too low, until they are made again.
        await make_anew(scene.cluster, changelogs(scene))
        assert "delete that folder" in await refused(worker)
        await go_on(scene, fresh=True)
        await scene.post(100)
        await scene.settled()
        await rebuild(scene)
        await assert_invariants(scene)


FOREIGN = b'[1, 2, "and a field that a later version has"]'


@pytest.mark.parametrize("value", [b"no JSON", FOREIGN], ids=["damaged", "another format"])
async def test_r13_r21_a_changelog_that_cannot_be_read_ends_the_worker(
    servers: Servers, tmp_path: Path, value: bytes
):
    async with opened(Scene(servers, tmp_path)) as scene:
        await scene.post(100)
        await scene.settled()
        worker = await pause(scene)
        placed = named(scene, "placed")
        await produce(servers.kafka.address, placed.name, [(b'"deploy"', value, [])])
        log = await refused(worker)
        assert "worker.changelog_unreadable" in log
        assert "dora recompute" in log


async def test_r13_another_number_of_partitions_is_refused(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path)) as scene:
        await scene.post(50)
        await scene.settled()
        worker = await pause(scene)
        await make_anew(scene.cluster, [named(scene, "day")], partitions=2)
        assert "has 2 partitions, expected 4" in await refused(worker)


async def test_r21_what_another_generation_made_is_passed_by(servers: Servers, tmp_path: Path):
    """A worker of another version works for another generation when formats differ (docs/operating.md)."""
    async with opened(Scene(servers, tmp_path)) as scene:
        await scene.post(100)
        await scene.settled()
        theirs = []
        async for record in records_of(scene, scene.topics["cdevents"]):
            headers = [(name, b"2" if name == GENERATION else value) for name, value in record.headers]
            theirs.append((record.key, record.value.replace(b"event-", b"later-"), headers))
        await produce(servers.kafka.address, scene.topics["cdevents"], theirs, partitions=4)
        await produce(servers.kafka.address, scene.topics["deadletters"], theirs, partitions=4)
        await scene.settled()
        await assert_invariants(scene)


# Which CDEvent of a Kubernetes object tells a fact, and which observation is new, depends on the order of the
# observations; the facts do not.
TOLD = (
    """SELECT source, id, encode(digest, 'hex'), CASE WHEN source LIKE '/workload%' THEN fate END
       FROM cloudevents_raw""",
    "SELECT cd_source, cd_id FROM cdevents_raw WHERE cd_source LIKE '/workload%'",
    "SELECT deploy_id, time_created, service, environment, counted, outcome FROM deployments",
    """SELECT service, environment, bucket, bucket_start, deployments, deployment_days
       FROM deployment_frequency""",
)


async def dump(scene: Scene) -> list[set[tuple[Any, ...]]]:
    """What the tables say."""
    return [{tuple(row) for row in await scene.rows(query)} for query in TOLD]


async def run(*command: str) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True)


async def test_d6_the_database_is_restored_from_an_older_dump(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path, static=False)) as scene:
        await scene.post(150)
        await produce(
            servers.kafka.address, scene.topics["cloudevents"], recorded("deployments")[:40], partitions=4
        )
        await scene.settled()
        inputs = [topic.name for topic in scene.topics.all() if topic.role in {"cloudevents", "replay"}]
        async with watching(scene.cluster, scene.group) as offsets:
            before = await offsets.committed(inputs)
        backup = tmp_path / "backup.dump"
        await run(binary("pg_dump"), "-Fc", "-f", str(backup), scene.dsn)
        await scene.post(150)
        await produce(
            servers.kafka.address, scene.topics["cloudevents"], recorded("deployments")[40:], partitions=4
        )
        await scene.settled()
        wanted = await dump(scene)
        await pause(scene)
        # docs/operating.md, "PostgreSQL is restored from a dump, Kafka has gone on".
        restore = [binary("pg_restore"), "--clean", "--if-exists", "--no-owner"]
        await run(*restore, "-d", scene.dsn, str(backup))
        await begin_group(scene.cluster, scene.group, before)
        await go_on(scene)
        await rebuild(scene)
        for told, before_it in zip(await dump(scene), wanted, strict=True):
            assert told == before_it, (told - before_it, before_it - told)

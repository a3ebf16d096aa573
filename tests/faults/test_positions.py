"""Offsets that are gone, and topics that are not those which the workers knew: the documented policy.

The workers read from the earliest record that there is, and effects are idempotent. What retention removed
before it was read is told loudly; it is in no table, and no program can bring it back.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.offsets import watching
from schemas.topics import Topic
from tests.faults.invariants import assert_invariants, id_of, records_of
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.faults.topics import expire, forget_group, make_anew

pytestmark = [
    pytest.mark.connected,
    pytest.mark.fault,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One worker for all of these; what one test takes off the topic is not missed by the next."""
    async with opened(Scene(servers, tmp_path_factory.mktemp("positions"), static=False)) as scene:
        yield scene


async def pause(scene: Scene) -> None:
    """Stop the only worker."""
    (worker,) = scene.workers
    await scene.release(worker)
    assert await asyncio.to_thread(worker.stop) == 0, worker.log()


def lines_of(log: str) -> list[str]:
    """The JSON lines of a log; a terminal's control codes may stand before the first."""
    return [line[line.index("{") :] for line in log.splitlines() if "{" in line]


async def go_on(scene: Scene) -> None:
    (worker,) = scene.workers
    scene.keep(worker)
    await scene.ready()


def input_topic(scene: Scene) -> Topic:
    return next(topic for topic in scene.topics.all() if topic.role == "cloudevents")


async def test_r5_the_groups_offsets_have_expired(scene: Scene):
    await scene.post(300)
    await scene.settled()
    await pause(scene)
    await scene.post(100)
    await forget_group(scene.cluster, scene.group)
    await go_on(scene)
    await scene.settled()
    await assert_invariants(scene, kept=False)


async def test_r5_records_have_expired_before_they_were_read(scene: Scene):
    """What is left is recorded, and how many are gone is said."""
    await scene.post(100)
    await scene.settled()
    await pause(scene)
    name = scene.topics["cloudevents"]
    async with watching(scene.cluster, scene.group) as offsets:
        committed = sum((await offsets.committed([name])).values())
    before = set(scene.journal.sent)
    await scene.post(200)
    posted = scene.journal.sent - before
    gone = await expire(scene.cluster, name, scene.topics.partitions, keep=20) - committed
    left = {scene.workload.number_of(id_of(record)) async for record in records_of(scene, name)}
    await go_on(scene)
    await scene.settled()
    scene.journal.forget(posted - left)
    await assert_invariants(scene, kept=False)
    (worker,) = scene.workers
    events = map(json.loads, lines_of(scene.whole_log(worker)))
    told = [event for event in events if event["event"] == "consumer.records_expired"]
    assert sum(event["records"] for event in told) == gone


async def test_r5_the_topic_was_made_anew_while_the_worker_was_away(scene: Scene):
    await scene.post(100)
    await scene.settled()
    await pause(scene)
    await make_anew(scene.cluster, [input_topic(scene)])
    await scene.post(200)
    await go_on(scene)
    await scene.settled()
    await assert_invariants(scene, kept=False)


async def test_r5_the_topic_is_made_anew_under_a_running_worker(scene: Scene):
    await scene.post(300)
    await scene.settled()
    await make_anew(scene.cluster, [input_topic(scene)])
    await scene.post(50)
    await scene.settled()
    await scene.post(200)
    await scene.settled()
    await assert_invariants(scene, kept=False)

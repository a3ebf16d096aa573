"""A worker that dies at each step of its work, and a broker that dies with what it had not read.

The same scenes, with a program broken on purpose, must fail: that is how the checker is proven.
"""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.faults import sabotage
from tests.faults.invariants import assert_invariants, check
from tests.faults.mines import POINTS, left, plant
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.infra.production import eventually

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(240)]


async def walk_over_mines(scene: Scene, events: int) -> None:
    """Post until every mine has gone off; every mine needs work to be stepped on."""
    await scene.post(events)
    for _ in range(20):
        if not left(scene.folder):
            break
        await scene.post(40)

        async def next_one(before: int = len(left(scene.folder))) -> bool:
            return len(left(scene.folder)) < before

        await eventually(next_one, 30, f"a kill at {left(scene.folder)[0]}")
    assert left(scene.folder) == []
    await scene.settled()


async def test_r1_killed_at_each_step_nothing_is_lost_or_counted_twice(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path, before={"worker": plant(tmp_path)})) as scene:
        await walk_over_mines(scene, 600)
        assert scene.workers[0].exits == [-signal.SIGKILL] * len(POINTS)
        await assert_invariants(scene)


@pytest.mark.parametrize(
    ("broken", "points", "fault"),
    [
        (sabotage.ACK_BEFORE_SEND, ("committed",), "acknowledged events are lost"),
        (sabotage.INCREMENT, ("remembered",), "buckets are wrong"),
        (sabotage.TALKATIVE, (), "a secret is in the log"),
    ],
    ids=["ack-before-send", "+= 1", "a secret in the log"],
)
async def test_the_checker_notices_a_broken_worker(
    servers: Servers, tmp_path: Path, broken: str, points: tuple[str, ...], fault: str
):
    before = broken + plant(tmp_path, points)
    async with opened(Scene(servers, tmp_path, before={"worker": before})) as scene:
        await walk_over_mines(scene, 200)
        _, faults = await check(scene)
    assert any(fault in found for found in faults), faults


async def post_to_a_dying_broker(scene: Scene) -> int:
    """Events that were acknowledged while the broker could not read them, before it was killed."""
    await scene.post(100)
    kafka = scene.servers.kafka
    assert kafka.process.pid is not None
    before = len(scene.journal.acknowledged)
    os.kill(kafka.process.pid, signal.SIGSTOP)
    async with scene.load(60):
        await asyncio.sleep(2)
        meanwhile = len(scene.journal.acknowledged) - before
        # What stands in its sockets dies with it.
        await asyncio.to_thread(kafka.kill)
        await asyncio.to_thread(kafka.restart)
    await scene.settled()
    return meanwhile


async def test_k3_nothing_is_acknowledged_that_a_frozen_broker_has_not_got(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path)) as scene:
        assert await post_to_a_dying_broker(scene) == 0
        await assert_invariants(scene)


async def test_the_checker_notices_an_ingress_that_does_not_wait_for_the_broker(
    servers: Servers, tmp_path: Path
):
    async with opened(Scene(servers, tmp_path, before={"ingress": sabotage.ACKS_0})) as scene:
        assert await post_to_a_dying_broker(scene) > 0
        _, faults = await check(scene)
    assert any("lost before the topic" in found for found in faults), faults

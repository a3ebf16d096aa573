"""A worker that is frozen with writes in its hands, and goes on when another has its partitions."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.invariants import assert_invariants
from tests.faults.mines import arm, left, plant
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.infra.production import eventually
from tests.infra.programs import Program

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(240)]


def state_of(program: Program) -> str:
    """As the kernel tells it: T is a process that was stopped by a signal."""
    assert program.process is not None
    stat = Path(f"/proc/{program.process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0]


async def freeze_one(scene: Scene, point: str) -> Program:
    """Have the first worker that comes to ``point`` stop there."""
    arm(scene.folder, point)
    await scene.post(100)

    async def gone_off() -> bool:
        return not left(scene.folder)

    await eventually(gone_off, 30, f"a worker at {point}")
    (frozen,) = (worker for worker in scene.workers if state_of(worker) == "T")
    return frozen


@pytest.mark.parametrize("point", ["measured", "counted"])
async def test_r20_what_a_frozen_worker_writes_late_is_not_put_over_what_was_counted_since(
    servers: Servers, tmp_path: Path, point: str
):
    """It gets its partitions back, and all others, and has to know what was counted meanwhile."""
    mines = plant(tmp_path, (), signal.SIGSTOP)
    async with opened(Scene(servers, tmp_path, workers=2, before={"worker": mines})) as scene:
        await scene.post(300)
        await scene.settled()
        frozen = await freeze_one(scene, point)
        await scene.post(300)
        await scene.settled(100)  # the other has done all of it; it may have had to wait for a lock
        assert frozen.process is not None
        frozen.process.send_signal(signal.SIGCONT)
        await scene.ready()
        await scene.settled()
        (other,) = (worker for worker in scene.workers if worker is not frozen)
        await scene.release(other)
        await asyncio.to_thread(other.kill)
        scene.workers.remove(other)
        await scene.post(300)
        await scene.settled()
        await assert_invariants(scene)
        assert "table.late_record" in scene.whole_log(frozen) + scene.whole_log(other) or point == "measured"

"""The kill schedule: three workers, two ingresses, a broker and a database, none of them left in peace.

A short round runs with the fault tests. The long one is asked for: ./dora test -m soak --soak-minutes=60
"""

import asyncio
import statistics
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.invariants import Figures, check, usages
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.faults.storm import Storm

pytestmark = pytest.mark.connected

A_SECOND = 300  # events
SHORT = 30  # seconds
PROGRESS = 15.0  # seconds between two lines


async def play(scene: Scene, storm: Storm, seconds: float, tell) -> Figures:
    """Events and faults for so long; then the figures are told, and hold the invariants."""
    watching = asyncio.create_task(storm.watch())
    telling = asyncio.create_task(report(scene, storm, seconds, tell))
    try:
        async with scene.load(int(seconds * A_SECOND), A_SECOND):
            await storm.rage(seconds)
        quiet = await scene.settled(180)
    finally:
        for task in (watching, telling):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    await scene.ready()
    seen, faults = await check(scene)
    tell(table(scene, storm, seen, quiet))
    assert not faults, "\n".join(faults)
    return seen


async def report(scene: Scene, storm: Storm, seconds: float, tell) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS)
        lag = storm.samples[-1].lag if storm.samples else 0
        last = storm.healed[-1][0] if storm.healed else "none"
        acknowledged = len(scene.journal.acknowledged)
        tell(
            f"{time.monotonic() - began:5.0f} of {seconds:.0f} s: {acknowledged} acknowledged, lag {lag},"
            f" {storm.acts.total()} faults, last: {last}"
        )


def table(scene: Scene, storm: Storm, seen: Figures, quiet: float) -> str:
    """The figures, a line each."""
    memory = {name: usage.memory for name, usage in usages(scene).items()}
    recoveries = storm.recoveries()
    rows = {
        "sent": seen.sent,
        "acknowledged": seen.acknowledged,
        "records on the topic": seen.records,
        "sent again on purpose": seen.again,
        "duplicated by faults": seen.doubled_by_faults,
        "recorded": seen.recorded,
        "dead-lettered": seen.dead_letters,
        "lost": seen.lost,
        "doubled": seen.doubled,
        "answers": dict(scene.journal.statuses),
        "worker starts": [worker.starts for worker in scene.workers],
        "ingress starts": [ingress.starts for ingress in scene.ingresses],
        "faults": dict(storm.acts),
        "most lag": max(sample.lag for sample in storm.samples),
        "lag 0 after the end, seconds": round(quiet, 1),
        "MiB at the end": {name: round(value) for name, value in memory.items()},
        "most MiB": {name: round(value) for name, value in scene.scrapes.peaks.items()},
        **{
            f"seconds to recover from {name}": f"median {statistics.median(times):.1f}, most {max(times):.1f}"
            for name, times in sorted(recoveries.items())
        },
    }
    return "\n".join(f"{name:42} {value}" for name, value in rows.items())


@pytest.mark.fault
@pytest.mark.timeout(400)
async def test_r2_a_short_kill_schedule(servers: Servers, tmp_path: Path):
    async with opened(Scene(servers, tmp_path, workers=3, ingresses=2)) as scene:
        # Its first six: TERM, INT and a burst of KILL for workers, KILL for ingress, broker and database.
        storm = Storm(scene, seed=1834, pause=(0.5, 1.5))
        seen = await play(scene, storm, SHORT, print)
        assert seen.acknowledged >= SHORT * A_SECOND


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_r2_r15_r19_r24_soak(
    servers: Servers, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
):
    """One service has most of the deployments: its partition is the hot one."""
    seconds = 60 * float(request.config.getoption("--soak-minutes"))

    def tell(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    async with opened(Scene(servers, tmp_path, workers=3, ingresses=2)) as scene:
        storm = Storm(scene, seed=int(seconds), pause=(2, 15))
        await play(scene, storm, seconds, tell)

"""PostgreSQL's disk is full: workers wait, acknowledge nothing, and go on when there is room again."""

import asyncio
import copy
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.postgres import Postgres
from deploy.embedded.probes import in_thread
from tests.faults.invariants import assert_invariants
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.infra.production import eventually

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(240)]

SIZE = 220  # MiB; a fresh server takes 110
ROOM = 1 << 20  # bytes that are left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def cramped(servers: Servers, small_disk: Path) -> Iterator[Servers]:
    """The broker of the other tests, and a PostgreSQL on the small disk."""
    mine = copy.copy(servers)
    mine.postgres = Postgres(small_disk / "postgres", log=small_disk.parent / "postgres.log")
    mine.postgres.start()
    in_thread(mine.prepare())
    yield mine
    mine.postgres.kill()


def fill(folder: Path) -> Path:
    """A file that takes all room but a little."""
    ballast = folder / "ballast"
    told = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, told.f_bavail * told.f_frsize - ROOM))
    return ballast


async def test_d1_the_disk_of_postgresql_is_full(cramped: Servers, small_disk: Path, tmp_path: Path):
    async with opened(Scene(cramped, tmp_path)) as scene:
        (worker,) = scene.workers
        await scene.post(200)
        await scene.settled()
        ballast = fill(small_disk)
        async with scene.load(1200, a_second=400):

            async def felt() -> bool:
                return "DiskFullError" in scene.whole_log(worker) or not cramped.postgres.process.running

            await eventually(felt, 60, "a disk that is full")
        with pytest.raises(AssertionError, match="still a lag"):
            await scene.settled(3)
        assert (await worker.get("/healthz"))["status"] == "ok"
        ballast.unlink()
        if not cramped.postgres.process.running:
            await asyncio.to_thread(cramped.postgres.restart)
        await scene.settled()
        assert worker.starts == 1
        await assert_invariants(scene)

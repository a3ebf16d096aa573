"""Brokers in states that one alone cannot be in: the follower of another, and one whose disk is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.kafka import Kafka


class Follower(Kafka):
    """A second broker of ``leader``'s cluster, which is no controller. Starts when the leader runs."""

    def __init__(self, folder: Path, leader: Kafka) -> None:
        super().__init__(folder)
        self.leader = leader

    def _configure(self) -> None:
        super()._configure()
        settings = properties(self.folder / "server.properties") | {
            "process.roles": "broker",
            "node.id": "2",
            "listeners": f"PLAINTEXT://{self.address}",
            "controller.quorum.voters": properties(self.leader.folder / "server.properties")[
                "controller.quorum.voters"
            ],
        }
        write(self.folder / "server.properties", settings)

    def _format(self, *_: object) -> None:
        identity = self.folder / "data" / "meta.properties"
        if not identity.exists():
            identity.parent.mkdir(exist_ok=True)
            cluster = properties(self.leader.folder / "data" / "meta.properties")["cluster.id"]
            write(identity, {"version": "1", "cluster.id": cluster, "node.id": "2"})


def properties(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#") and "=" in line)


def write(file: Path, settings: dict[str, str]) -> None:
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


class SmallDisk:
    """A file system of its own for a broker; ``CannotMount`` where the tests may not make one."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self.megabytes = folder, megabytes

    def mount(self) -> None:
        self.folder.mkdir(exist_ok=True)
        options = f"size={self.megabytes}m"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], capture_output=True
        )
        if done.returncode:
            raise CannotMount(done.stderr.decode().strip())

    def grow(self, megabytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.folder], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


class CannotMount(OSError):
    """Making a file system takes a right that these tests do not have."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder, megabytes)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()

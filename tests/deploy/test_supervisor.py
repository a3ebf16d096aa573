"""What the supervisor does with a worker that was superseded, and with one that is so again and again."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.data_folder import DataFolder
from deploy.embedded.process import PartError
from deploy.server import Server
from deploy.supervisor import RESTARTS, SUPERSEDED, Instance, Ports
from tests.infra.processes import survivors


class Scripted(Server):
    """A server process that is a shell script: each start takes the next one."""

    scripts: list[str]

    def launch(self) -> None:
        self.process.launch(["sh", "-c", self.scripts.pop(0)])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = Instance(tmp_path / "data", say=lambda _: None)
    instance.folder.claim()
    yield instance
    instance.stop()


def add(instance: Instance, *scripts: str) -> Scripted:
    part = Scripted("worker-1", "worker", {}, logs=instance.folder.logs, run=instance.folder.run)
    part.scripts = list(scripts)
    part.launch()
    instance.parts["worker-1"] = part
    return part


def wait(part: Server) -> None:
    part.process.finish(10)


def test_a_superseded_worker_is_started_again(instance: Instance) -> None:
    part = add(instance, f"exit {SUPERSEDED}", "sleep 100")
    wait(part)
    instance.look()
    assert part.process.running
    instance.look()


def test_a_worker_that_is_superseded_all_the_time_is_a_fault(instance: Instance) -> None:
    part = add(instance, *[f"echo again; exit {SUPERSEDED}"] * 10)
    for _ in range(RESTARTS):
        wait(part)
        instance.look()
    wait(part)
    with pytest.raises(
        PartError, match=r"(?s)worker-1 was superseded 5 times in a minute.*ends with\n  again"
    ):
        instance.look()


def test_a_worker_that_fails_is_named_with_its_last_words(instance: Instance) -> None:
    wait(add(instance, "echo the disk is full >&2; exit 3"))
    with pytest.raises(
        PartError, match=r"(?s)worker-1 ended with code 3; its log .*worker-1.log ends with.*the disk is full"
    ):
        instance.look()


def test_a_part_that_ignores_the_request_to_stop_is_killed(instance: Instance) -> None:
    part = add(instance, "trap '' TERM; echo trapped; while :; do sleep 0.1; done")
    part.process.wait_ready(lambda: "trapped" in part.process.last_words(), 10)
    part.process.stop(0.5)
    assert part.process.exit_code == -9


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.claim()
    with pytest.raises(PartError, match="is in use by another dora"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_what_a_killed_supervisor_left_is_ended_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.data_folder.LEFTOVER_GRACE", 0.2)
    instance = Instance(tmp_path)
    instance.folder.claim()
    part = add(instance, "sleep 100")
    assert part.process.pid is not None
    instance.folder.remember({"worker-1": part.process.pid})
    instance.folder.release()
    process = psutil.Process(part.process.pid)
    DataFolder(tmp_path).claim()
    assert survivors([process], within=1) == []


def test_the_same_port_twice_is_refused() -> None:
    with pytest.raises(PartError, match="port 18080 is asked for twice: give --ingress-port another"):
        Ports(ingress=18080, kafka=18080).check()

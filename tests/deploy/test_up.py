"""`dora up`, as a user and a hidden kill see it: the ready line, the end of every process, what survives."""

import signal
import socket
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.infra.commands import FREE_PORTS, Ready, Up, dora
from tests.infra.processes import survivors

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
EVENT = {"specversion": "1.0", "source": "/tests/up", "type": "org.example.unknown", "data": {"n": 1}}
STORED_WITHIN = 30


def post(ready: Ready) -> str:
    """Send an event; its id."""
    event = {**EVENT, "id": str(uuid4())}
    headers = {"Content-Type": "application/cloudevents+json"}
    assert httpx.post(ready.ingress, json=event, headers=headers).status_code == 202
    return event["id"]


def is_stored(ready: Ready, event: str) -> bool:
    """Whether the query API knows the event, at the latest after a while."""
    deadline = time.monotonic() + STORED_WITHIN
    while time.monotonic() < deadline:
        answer = httpx.get(f"{ready.query}/v1/events", params={"source": EVENT["source"], "id": event})
        if answer.status_code == 200:
            return True
        time.sleep(0.1)
    return False


def test_it_serves_refuses_a_second_start_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Up(data) as up:
        ready = up.ready()
        event = post(ready)
        assert is_stored(ready, event)

        looked = dora("doctor", "--data-dir", str(data))
        assert looked.returncode == 0, looked.stdout
        assert "skipped" not in looked.stdout

        second = dora("up", "--data-dir", str(data), *FREE_PORTS)
        assert second.returncode == 1
        assert second.stdout == ""
        assert f"{data} is in use by another dora (process {up.process.pid})" in second.stderr

        family = up.family()
        assert len(family) > 6
        up.signal(signal.SIGINT)
        assert up.wait() == 0
        assert survivors(family, within=2) == []
        assert up.process.stdout is not None
        assert up.process.stdout.read() == ""

    with Up(data) as up:
        ready = up.ready()
        assert is_stored(ready, event)
        family = up.family()
        up.child("query").kill()
        assert up.wait() == 1
        assert "dora: query was ended by SIGKILL; its log" in up.errors.read_text()
        assert "Traceback" not in up.errors.read_text()
        assert survivors(family, within=2) == []


def test_two_run_side_by_side_and_a_killed_one_leaves_nothing_and_recovers(tmp_path: Path) -> None:
    with Up(tmp_path / "one") as one, Up(tmp_path / "two") as two:
        first, second = one.ready(), two.ready()
        mine, other = post(first), post(second)
        assert is_stored(first, mine)
        assert is_stored(second, other)
        assert (
            httpx.get(f"{second.query}/v1/events", params={"source": EVENT["source"], "id": mine}).status_code
            == 404
        )

        family = one.family()
        one.process.kill()
        assert survivors(family, within=10) == []
        two.signal(signal.SIGTERM)
        assert two.wait() == 0

    with Up(tmp_path / "one") as again:
        ready = again.ready()
        assert is_stored(ready, mine)
        assert is_stored(ready, post(ready))


def test_an_interruption_while_it_starts_ends_everything(tmp_path: Path) -> None:
    with Up(tmp_path / "data") as up:
        log = tmp_path / "data" / "logs" / "kafka.log"
        deadline = time.monotonic() + 30
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        family = up.family()
        up.signal(signal.SIGTERM)
        assert up.wait() == 0
        assert survivors(family, within=2) == []
        assert up.process.stdout is not None
        assert up.process.stdout.read() == ""


def test_a_port_in_use_names_its_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = dora("up", "--data-dir", str(tmp_path / "data"), *FREE_PORTS, "--query-port", str(port))
    assert told.returncode == 1
    assert told.stderr.endswith(
        f"port {port} is in use by another program: give another with --query-port, or 0 for a free one\n"
    )


def test_a_data_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = dora("up", "--data-dir", str(tmp_path / "file"), *FREE_PORTS)
    assert told.returncode == 1
    assert f"cannot use the folder {tmp_path / 'file'}" in told.stderr
    assert "--data-dir" in told.stderr


@pytest.mark.parametrize(
    "arguments", [("--ingress-port", "99999"), ("--workers", "0"), ("--bogus",), ("extra",)]
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    told = dora("up", *arguments)
    assert told.returncode == 2
    assert told.stdout == ""

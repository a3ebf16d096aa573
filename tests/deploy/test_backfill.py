"""`dora backfill`: what it reads, how it goes on after an interruption, what becomes of the refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.backfill import PORTION, BackfillError, State, files_of, time_of
from deploy.messages import Message, read_file
from tests.deploy.test_send import RECORDED, Ingress, ingress
from tests.infra.commands import dora, environment

__all__ = ["ingress"]  # a fixture


def event(number: int, **more: object) -> dict[str, object]:
    at = f"2025-{1 + number % 12:02}-01T10:00:00Z"
    return {"specversion": "1.0", "id": str(number), "source": "/s", "type": "t", "time": at} | more


def lines(*values: object) -> str:
    return "".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values)


def identities(ingress: Ingress) -> list[str]:
    return [json.loads(body)["id"] for _, _, body in ingress.requests]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A folder with two files of events and one that is none."""
    folder = tmp_path / "history"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "b.json").write_text(json.dumps([event(3), event(4)]))
    (folder / "a.jsonl").write_text(lines(event(1), event(2)))
    (folder / "README.md").write_text("not events")
    return folder


def test_a_folder_is_played_in_the_order_of_its_files(ingress: Ingress, history: Path) -> None:
    done = dora(
        "backfill", "--connections", "1", str(history), cwd=history.parent, DORA_INGRESS_URL=ingress.url
    )
    span = "from 2025-02-01T10:00:00Z to 2025-05-01T10:00:00Z"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"accepted 4, refused 0, {span}\n", "")
    assert identities(ingress) == ["3", "4", "1", "2"]
    assert json.loads(ingress.requests[0][2])["time"] == "2025-04-01T10:00:00Z"


def test_the_same_command_again_sends_only_what_is_new(ingress: Ingress, history: Path) -> None:
    arguments = ("backfill", "--ingress-url", ingress.url, str(history))
    assert dora(*arguments, cwd=history.parent).returncode == 0
    with (history / "a.jsonl").open("a") as file:
        file.write(lines(event(5)))
    ingress.requests.clear()
    done = dora(*arguments, cwd=history.parent)
    assert done.stdout.startswith("accepted 1, refused 0, 4 done before")
    assert identities(ingress) == ["5"]
    ingress.requests.clear()
    assert dora(*arguments, "--again", cwd=history.parent).stdout.startswith("accepted 5, refused 0, from")
    assert len(ingress.requests) == 5


def test_what_is_refused_is_kept_apart_and_the_rest_goes_on(ingress: Ingress, tmp_path: Path) -> None:
    ingress.script = [(202, {}), (400, {}), (403, {})]
    file = tmp_path / "events.jsonl"
    file.write_text(lines(event(1), RECORDED, event(3), "nonsense", [1], event(4)))
    done = dora("backfill", "--connections", "1", "--ingress-url", ingress.url, str(file), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("accepted 2, refused 4, from 2025-02-01")
    for told in (":2: 400 because 400\n", ":3: 403 because 403", ":4: no JSON", ":5: neither a CloudEvent"):
        assert f"{file}{told}" in done.stderr
    kept = tmp_path / ".dora" / "backfill-rejects.jsonl"
    assert f"what was refused is in {Path('.dora/backfill-rejects.jsonl')}" in done.stderr
    assert kept.stat().st_mode & 0o077 == 0
    rejected = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [each["status"] for each in rejected] == [400, 403, 0, 0]
    assert [each["text"] for each in rejected[2:]] == ["nonsense\n", "[1]"]
    ingress.requests.clear()
    again = dora("send", "--connections", "1", "--ingress-url", ingress.url, str(kept))
    assert again.stdout == "accepted 2, refused 2\n"
    assert ingress.requests[0][0] == "/webhooks/github"
    assert json.loads(ingress.requests[1][2]) == event(3)


def test_an_interrupted_run_goes_on_where_it_stopped(ingress: Ingress, tmp_path: Path) -> None:
    number = 3 * PORTION
    file = tmp_path / "events.jsonl"
    file.write_text(lines(*(event(each) for each in range(number))))
    arguments = ["backfill", "--ingress-url", ingress.url, str(file)]
    command = [sys.executable, "-P", "-m", "deploy.cli", *arguments, "--rate", "400"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while len(ingress.requests) < 300 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    told, errors = running.communicate(timeout=30)
    assert running.returncode == 130, errors
    assert "interrupted; run the same command again to go on" in errors
    accepted = int(told.split()[1].rstrip(","))
    assert 200 <= accepted < number
    first = len(ingress.requests)
    done = dora(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"accepted {number - accepted}, refused 0, {accepted} done before")
    assert sorted(set(map(int, identities(ingress)))) == list(range(number))
    assert len(ingress.requests) - first == number - accepted
    assert first - accepted <= 100  # what a portion at this rate holds


def test_a_killed_run_loses_nothing(ingress: Ingress, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(lines(*(event(each) for each in range(2 * PORTION))))
    arguments = ["backfill", "--ingress-url", ingress.url, str(file)]
    command = [sys.executable, "-P", "-m", "deploy.cli", *arguments, "--rate", "400"]
    running = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while len(ingress.requests) < 250 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert dora(*arguments, cwd=tmp_path).returncode == 0
    assert set(map(int, identities(ingress))) == set(range(2 * PORTION))


def test_an_ingress_that_takes_nothing_ends_it_and_is_no_refusal(ingress: Ingress, tmp_path: Path) -> None:
    ingress.script = [(202, {}), (401, {})]
    file = tmp_path / "events.jsonl"
    file.write_text(lines(event(1), event(2), event(3)))
    done = dora("backfill", "--connections", "1", "--ingress-url", ingress.url, str(file), cwd=tmp_path)
    assert done.returncode == 1
    assert f"{file}:2: 401: because 401; set DORA_TOKEN" in done.stderr
    assert "run the same command again" in done.stderr
    assert not (tmp_path / ".dora" / "backfill-rejects.jsonl").exists()
    assert dora("backfill", "--ingress-url", ingress.url, str(file), cwd=tmp_path).returncode == 0
    assert set(identities(ingress)) == {"1", "2", "3"}


def test_a_dry_run_sends_nothing_and_tells_what_it_would(ingress: Ingress, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(lines(event(1), event(2, time=None) | {"time": ""}, RECORDED, "nonsense"))
    arguments = ("--dry-run", "--ingress-url", ingress.url, str(file))
    done = dora("backfill", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("would send 3, refused 1, from 2025-02-01")
    assert f"{file}:4: no JSON" in done.stderr
    assert "2 tell no time: they count when they arrive" in done.stderr
    assert (ingress.requests, list(tmp_path.iterdir())) == ([], [file])


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("missing.jsonl",), 1, "dora: missing.jsonl: No such file or directory\n"),
        ((".",), 1, "holds no .json"),
        (("--rate", "0", "x"), 2, "--rate"),
        ((), 2, "Missing argument"),
    ],
)
def test_mistakes_are_told_without_a_stack_trace(
    arguments: tuple[str, ...], code: int, told: str, tmp_path: Path
) -> None:
    done = dora("backfill", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_state_that_is_none_is_not_overwritten(tmp_path: Path) -> None:
    for text in ("nonsense", "[]", '{"done": {"a": "b"}}'):
        (tmp_path / "state").write_text(text)
        with pytest.raises(BackfillError, match="is no state of a backfill"):
            State.read(tmp_path / "state")


def test_a_file_is_named_once_and_recognised_by_how_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(*(event(each) for each in range(100))))
    [before] = files_of([str(tmp_path), str(file)])
    with file.open("a") as more:
        more.write(lines(event(100)))
    [after] = files_of([str(file)])
    assert before == after
    file.write_text(lines(event(7)))
    assert files_of([str(file)]) != [before]


def test_the_time_of_an_event_is_found_where_it_is_told() -> None:
    cdevent = event(1, data={"context": {"timestamp": "2024-01-01T00:00:00Z"}})
    del cdevent["time"]
    binary = {"headers": {"ce-id": "1", "ce-time": "2024-02-01T00:00:00Z"}, "body": ""}
    reports = [
        {"path": "/webhooks/generic", "headers": {}, "body": {"kind": "deployment"} | told}
        for told in ({"time": "2024-03-01T00:00:00Z"}, {"time": 1709251200}, {"id": "1"})
    ]
    values = [cdevent, binary, {"headers": {"ce-id": "1"}, "body": ""}, RECORDED, *reports]
    from io import BytesIO

    found = list(read_file("f", BytesIO(lines(*values).encode())))
    times = [time_of(each) for each in found if isinstance(each, Message)]
    told = ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", None, None, "2024-03-01T00:00:00Z", "", None]
    assert times == told

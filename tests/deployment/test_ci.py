"""What CI's scripts say and end with where programs or a Docker engine are missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deployment.kubernetes import ROOT

SCRIPTS = ROOT / ".ci"


def script(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def run(*command: str, path: Path | None = None, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A script with ``path`` before all other programs."""
    words = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
    return subprocess.run(
        command, env={**os.environ, "PATH": words, **settings}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("suite", "containers", "without", "code", "told"),
    [
        (0, 0, "", 0, "containers: passed"),
        (0, 77, "", 0, "containers: SKIPPED"),
        (0, 1, "", 1, ""),
        (1, 0, "", 1, ""),
        (0, 1, "1", 0, "containers: SKIPPED"),
    ],
)
def test_a_skip_is_told_and_a_failure_fails(
    tmp_path: Path, suite: int, containers: int, without: str, code: int, told: str
):
    (tmp_path / ".ci").mkdir()
    shutil.copy(SCRIPTS / "run", tmp_path / ".ci" / "run")
    script(tmp_path / ".ci" / "tools", f"echo {tmp_path}")
    script(tmp_path / ".ci" / "containers", f"exit {containers}")
    script(tmp_path / "dora", f"exit {suite}")
    done = run(str(tmp_path / ".ci" / "run"), WITHOUT_CONTAINERS=without)
    assert done.returncode == code, done.stderr
    assert done.stdout.strip().startswith(told)
    assert bool(done.stdout) == bool(told)


def test_without_an_engine_it_says_why_and_ends_with_77(tmp_path: Path):
    script(tmp_path / "docker", "exit 1")
    script(tmp_path / "id", "echo 1000")
    done = run(str(SCRIPTS / "engine"), "echo", "ran", path=tmp_path)
    assert (done.returncode, done.stdout) == (77, "")
    assert "no Docker engine answers, and none can be started: that takes root" in done.stderr


def test_an_engine_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path):
    script(tmp_path / "docker", "exit 1")
    script(tmp_path / "id", "echo 0")
    script(tmp_path / "dockerd", "echo 'no cgroups here'; exit 1")
    done = run(str(SCRIPTS / "engine"), "echo", "ran", path=tmp_path)
    assert (done.returncode, done.stdout) == (77, "")
    assert "dockerd ended: no cgroups here" in done.stderr


def test_an_engine_is_ended_with_what_it_was_started_for(tmp_path: Path):
    script(tmp_path / "id", "echo 0")
    script(tmp_path / "docker", f'[ -n "${{DOCKER_HOST:-}}" ] && [ -e {tmp_path}/up ]')
    script(
        tmp_path / "dockerd",
        f"trap 'rm {tmp_path}/up; exit' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done",
    )
    done = run(
        str(SCRIPTS / "engine"), "sh", "-c", "echo $DOCKER_HOST; exit 5", path=tmp_path, DOCKER_HOST=""
    )
    assert done.returncode == 5
    assert done.stdout.startswith("unix:///")
    assert not (tmp_path / "up").exists()


def test_tools_that_cannot_be_had_are_told_and_stop_nothing(tmp_path: Path):
    for name in ("go", "apt-get"):
        script(tmp_path / name, "echo 'no registry answers' >&2; exit 1")
    for name in ("sh", "mkdir", "mktemp", "rm", "tail", "timeout", "sed", "cp", "chmod"):
        program = shutil.which(name)
        assert program
        (tmp_path / name).symlink_to(program)
    done = subprocess.run(
        ["/bin/sh", str(SCRIPTS / "tools"), "--with-compose"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/.cache/dora/tools\n"), done.stderr
    assert done.stderr.splitlines() == [
        f"tools: {name} cannot be installed: no registry answers"
        for name in ("helm", "kubeconform", "promtool", "prometheus", "docker-compose")
    ]

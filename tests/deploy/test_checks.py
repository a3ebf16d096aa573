"""`dora test`: everything runs, one failure fails, the exit code says so."""

import sys
from pathlib import Path

import pytest

from deploy import checks

PROGRAMS = ("ruff", "mypy", "lint-imports", "python", "pytest")


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which stand-ins for the programs write that they ran."""
    for program in PROGRAMS:
        write(tmp_path, program, 0)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path / "ran"


def write(folder: Path, program: str, code: int) -> None:
    script = folder / program
    script.write_text(f'#!/bin/sh\necho {program} "$@" >> {folder}/ran\nexit {code}\n')
    script.chmod(0o755)


def test_everything_runs_and_is_summed_up(ran: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert checks.run([]) == 0
    lines = ["ruff check", "ruff format --check", "mypy ", "lint-imports "]
    lines += ["python -m deploy.cli audit", "pytest "]
    assert [line.strip() for line in ran.read_text().splitlines()] == [line.strip() for line in lines]
    assert "dora test: mypy ok" in capfd.readouterr().err


def test_a_failing_check_does_not_keep_the_others_from_running(
    ran: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(ran.parent, "mypy", 1)
    assert checks.run([]) == 1
    assert "pytest" in ran.read_text()
    assert "dora test: failed: mypy\n" in capfd.readouterr().err


def test_arguments_go_to_pytest_alone(ran: Path) -> None:
    assert checks.run(["-k", "a or b"]) == 0
    assert ran.read_text() == "pytest -k a or b\n"


@pytest.mark.parametrize(("pytest_code", "expected"), [(1, 1), (2, 1), (4, 2), (5, 1)])
def test_the_exit_code_follows_pytest(ran: Path, pytest_code: int, expected: int) -> None:
    write(ran.parent, "pytest", pytest_code)
    assert checks.run(["x"]) == expected


def test_a_missing_program_is_told(ran: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (ran.parent / "ruff").unlink()
    assert checks.run([]) == 1
    assert "ruff is not installed: run ./dora test" in capfd.readouterr().err

"""The command line itself: found commands, help, exit codes, no stack trace for a user's mistake."""

import time

import pytest

from deploy import cli
from tests.infra.commands import dora


def test_every_command_is_named_with_a_summary() -> None:
    done = dora("--help")
    assert done.returncode == 0
    for name, module in cli.available().items():
        assert cli.summary(module), f"deploy/commands/{module}.py begins without a docstring"
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", sorted(cli.available()))
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = dora(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Example" in done.stdout
    assert f"dora {name}" in done.stdout


def test_help_is_quick() -> None:
    times = []
    for _ in range(3):
        began = time.monotonic()
        dora("--help")
        times.append(time.monotonic() - began)
    assert min(times) < 1, "a command's module is imported although nobody asked for it"


def test_a_wrong_name_is_usage_and_suggests() -> None:
    done = dora("topic")
    assert done.returncode == 2
    assert "Did you mean 'topics'?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("migrate", "--postgres", "postgresql://u:secret@127.0.0.1:9/d"),
            "PostgreSQL does not answer at 127.0.0.1:9",
        ),
        (("topics", "--kafka", "127.0.0.1:9"), "no broker answers at 127.0.0.1:9"),
        (("query",), "DORA_POSTGRES: field required"),
    ],
)
def test_what_cannot_be_reached_is_told_without_a_stack_trace(arguments: tuple[str, ...], told: str) -> None:
    done = dora(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_wrong_zone_is_a_usage_error() -> None:
    done = dora("migrate", "--postgres", "postgresql://127.0.0.1:9/d", "--timezone", "Mars/Olympus")
    assert done.returncode == 2
    assert "unknown time zone 'Mars/Olympus'" in done.stderr


def test_debugging_shows_where_it_happened() -> None:
    done = dora("topics", "--kafka", "127.0.0.1:9", DORA_DEBUG="1")
    assert "Traceback" in done.stderr

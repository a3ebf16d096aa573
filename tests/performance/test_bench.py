"""``dora bench`` keeps what it measured: one measurement that fails costs the others nothing."""

import pytest

from benchmarks.measurement import Benchmark, Figure, Options
from deploy.commands.bench import measure
from deploy.interruption import Interrupted


def benchmark(name: str, failure: BaseException | None = None) -> Benchmark:
    def run(_: Options) -> list[Figure]:
        if failure:
            raise failure
        return [Figure(f"figure of {name}", "s", [1.0])]

    return Benchmark(name, "about nothing", run)


def measured(*chosen: Benchmark) -> tuple[list[str], int]:
    figures, code = measure(chosen, quick=True, rounds=2, further={})
    return [figure.name for figure in figures], code


@pytest.mark.parametrize("failure", [RuntimeError("no event came"), IndexError("tuple index out of range")])
def test_a_measurement_that_fails_says_so_and_costs_the_others_nothing(
    failure: Exception, capsys: pytest.CaptureFixture[str]
):
    assert measured(benchmark("first"), benchmark("broken", failure), benchmark("last")) == (
        ["figure of first", "figure of last"],
        1,
    )
    said = capsys.readouterr().err
    assert "dora: broken: " in said
    assert str(failure) in said
    assert "Traceback" not in said


def test_a_failure_shows_where_it_came_from_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DORA_DEBUG", "1")
    assert measured(benchmark("broken", IndexError("out of range"))) == ([], 1)
    assert "Traceback" in capsys.readouterr().err


def test_what_was_measured_before_ctrl_c_is_kept():
    first, last = benchmark("first"), benchmark("last")
    assert measured(first, benchmark("stopped", Interrupted(2)), last) == (["figure of first"], 130)

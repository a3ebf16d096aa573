"""Signs of life: who is busy, who is stuck, and when partitions may be given up."""

import asyncio
import time
from typing import Any

import pytest

from streams import progress as module
from streams.progress import EXIT_STUCK, Progress
from streams.watchdog import STOP_DEADLINE, Watchdog


class Exited(BaseException):
    """Stands for the end of the process, which nothing survives."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


class Clock:
    now = 1000.0


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, dict[str, Any]]]:
    """The codes and events of ``exit_now``, which raises ``Exited`` instead of ending the tests."""
    seen: list[tuple[int, str, dict[str, Any]]] = []

    def exit_now(code: int, event: str, **fields: Any) -> None:
        seen.append((code, event, fields))
        raise Exited

    monkeypatch.setattr(module, "exit_now", exit_now)
    monkeypatch.setattr("streams.watchdog.exit_now", exit_now)
    return seen


def test_a_stage_is_stuck_when_it_holds_a_batch_and_gives_no_sign(clock):
    progress = Progress()
    progress.begin("record")
    clock.now += 91
    assert progress.stuck(90) == ["record"]
    progress.beat("record")
    assert progress.stuck(90) == []


def test_a_stage_without_a_batch_is_never_stuck(clock):
    progress = Progress()
    progress.begin("record")
    progress.end("record")
    clock.now += 1e6
    assert progress.stuck(90) == []


def test_silence_is_known_of_those_who_have_ever_beaten(clock):
    progress = Progress()
    assert progress.silent("loop", 5) is None
    progress.beat("loop")
    clock.now += 7
    assert progress.silent("loop", 5) == 7
    assert progress.silent("loop", 7) is None


def test_ending_a_batch_ends_the_waiting(clock):
    progress = Progress()
    progress.begin("record")
    progress.waiting_for["record"] = "PostgreSQL"
    progress.end("record")
    assert progress.waiting_for == {}


async def test_partitions_are_given_up_when_the_last_stage_is_done():
    progress = Progress()
    await progress.wait_until_idle()
    progress.begin("record")
    progress.begin("measure")
    waiting = asyncio.create_task(progress.wait_until_idle())
    progress.end("record")
    await asyncio.sleep(0)
    assert not waiting.done()
    progress.end("measure")
    await asyncio.wait_for(waiting, 1)


async def test_a_batch_that_outlives_its_partitions_ends_the_process(monkeypatch, exits):
    monkeypatch.setattr(module, "IDLE_DEADLINE", 0.05)
    progress = Progress()
    progress.begin("call")
    with pytest.raises(Exited):
        await progress.wait_until_idle()
    assert exits == [(EXIT_STUCK, "worker.batch_outlived_its_partitions", {"stages": ["call"]})]


def watchdog(progress: Progress, *, stopping: bool = False) -> Watchdog:
    return Watchdog(progress, stuck_after=90, is_stopping=lambda: stopping)


@pytest.mark.parametrize(
    ("name", "event"),
    [("loop", "worker.event_loop_blocked"), ("lag", "worker.lag_without_progress")],
)
def test_the_watchdog_ends_a_process_that_lives_without_getting_anywhere(clock, exits, name, event):
    progress = Progress()
    progress.beat(name)
    dog = watchdog(progress)
    clock.now += 90
    dog._look()
    clock.now += 1
    with pytest.raises(Exited):
        dog._look()
    assert exits == [(EXIT_STUCK, event, {"seconds": 91})]


def test_the_watchdog_ends_a_process_with_a_stuck_stage(clock, exits):
    progress = Progress()
    progress.begin("record")
    clock.now += 91
    with pytest.raises(Exited):
        watchdog(progress)._look()
    assert exits == [(EXIT_STUCK, "worker.stuck", {"stages": ["record"]})]


def test_the_watchdog_ends_a_stop_that_takes_too_long(clock, exits):
    progress = Progress()
    progress.beat("loop")
    dog = watchdog(progress, stopping=True)
    dog._look()
    clock.now += STOP_DEADLINE
    dog._look()  # a loop that is stopping need not beat any more
    clock.now += 1
    with pytest.raises(Exited):
        dog._look()
    assert exits == [(EXIT_STUCK, "worker.stop_took_too_long", {})]

"""The guard: done, dead-letter-then-acknowledge, or the end of the process. Nothing else, for any error."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiokafka.errors
import asyncpg
import pytest
import structlog.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import guard as module
from streams.guard import TRANSIENT, Guard, Limit, Superseded, Unconfirmed
from streams.progress import EXIT_STUCK, EXIT_SUPERSEDED, Abandoned, Progress

MOST = Limit().most


class Exited(BaseException):
    """Stands for the end of the process, which nothing survives."""


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The codes and events of ``exit_now``, which raises ``Exited`` instead of ending the tests."""
    seen: list[tuple[int, str]] = []

    def exit_now(code: int, event: str, **_: Any) -> None:
        seen.append((code, event))
        raise Exited

    monkeypatch.setattr(module, "exit_now", exit_now)
    return seen


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(Guard, "_pause", lambda _, seconds: sleep(seconds))
    return pauses


class Stage:
    """A guarded stage: what was done, what was buried, and which of its events fail."""

    def __init__(self, failing: object = (), error: Exception | None = None) -> None:
        self.failing = failing
        self.error = error or KeyError("x")
        self.done: list[Any] = []
        self.buried: list[tuple[Any, str, str]] = []
        self.progress = Progress()
        self.guard = Guard(self.progress, self.bury)

    async def bury(self, event: Any, stage: str, reason: str) -> None:
        self.buried.append((event, stage, reason))

    async def effect(self, events: Any) -> None:
        if any(event in self.failing for event in events):
            raise self.error
        self.done += events

    async def run(self, events: Any, stage: str = "record") -> None:
        await self.guard.run(stage, events, self.effect)


async def test_a_batch_is_done_at_once():
    stage = Stage()
    await stage.run([1, 2, 3])
    assert (stage.done, stage.buried) == ([1, 2, 3], [])


@given(st.integers(1, 60), st.data())
@settings(max_examples=60)
def test_halving_finds_exactly_the_culprits(size, data):
    events = list(range(size))
    culprits = data.draw(st.sets(st.sampled_from(events), max_size=min(size, 20)))
    stage = Stage(culprits)
    asyncio.run(stage.run(events))
    assert stage.done == [event for event in events if event not in culprits]
    assert stage.buried == [(event, "record", "KeyError in stage record") for event in sorted(culprits)]


async def test_the_reason_names_the_error_and_not_what_it_says():
    """An exception's text may hold a payload or a password."""
    stage = Stage([1], ValueError("secret"))
    await stage.run([1])
    assert stage.buried == [(1, "record", "ValueError in stage record")]


@pytest.mark.parametrize("kind", TRANSIENT, ids=lambda kind: kind.__name__)
async def test_what_postgresql_may_recover_from_is_tried_until_it_works(kind, no_pauses):
    stage = Stage()
    failures = [kind("away") for _ in range(20)]

    async def effect(events: Any) -> None:
        if failures:
            assert len(failures) == 20 or "PostgreSQL" in stage.progress.waiting_for["record"]
            raise failures.pop()
        stage.done += events

    await stage.guard.run("record", [1, 2], effect)
    assert (stage.done, stage.buried) == ([1, 2], [])
    assert stage.progress.waiting_for == {}
    assert len(no_pauses) == 20
    assert 0.05 <= no_pauses[0] <= 0.1
    assert max(no_pauses) <= module.LONGEST_PAUSE


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DeadlockDetectedError("x"),
        asyncpg.SerializationError("x"),
        asyncpg.TooManyConnectionsError("x"),
        asyncpg.DiskFullError("x"),
        asyncpg.QueryCanceledError("x"),
        asyncpg.AdminShutdownError("x"),
        asyncpg.CannotConnectNowError("x"),
        asyncpg.ConnectionDoesNotExistError("x"),
        asyncpg.InvalidPasswordError("x"),
        asyncpg.ReadOnlySQLTransactionError("x"),
        asyncpg.InsufficientPrivilegeError("x"),
        asyncpg.UndefinedTableError("x"),
        asyncpg.UndefinedColumnError("x"),
        asyncpg.UndefinedFunctionError("x"),
        asyncpg.InvalidCatalogNameError("x"),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_event_is_blamed_for_the_state_of_the_database(error, no_pauses):
    stage = Stage()
    errors = [error]

    async def effect(events: Any) -> None:
        if errors:
            raise errors.pop()

    await stage.guard.run("record", [1], effect)
    assert stage.buried == []
    assert len(no_pauses) == 1


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DataError("asyncpg itself refuses a value"),
        asyncpg.NumericValueOutOfRangeError("x"),
        asyncpg.CharacterNotInRepertoireError("x"),
        asyncpg.CheckViolationError("x"),
        asyncpg.ProgramLimitExceededError("x"),
        RecursionError(),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_event_that_cannot_be_stored_is_a_dead_letter(error):
    stage = Stage([2], error)
    await stage.run([1, 2, 3])
    assert stage.done == [1, 3]
    assert [event for event, _, _ in stage.buried] == [2]


@pytest.mark.parametrize("error", [Unconfirmed("1 records"), aiokafka.errors.KafkaTimeoutError()])
async def test_an_unconfirmed_send_ends_the_process(error, exits):
    stage = Stage([1], error)
    with pytest.raises(Exited):
        await stage.run([1, 2])
    assert exits == [(EXIT_STUCK, "worker.send_unconfirmed")]
    assert stage.buried == []


@pytest.mark.parametrize(
    "error", [aiokafka.errors.MessageSizeTooLargeError(), aiokafka.errors.RecordListTooLargeError()]
)
async def test_an_event_that_is_too_large_to_be_sent_on_is_a_dead_letter(error):
    stage = Stage([2], error)
    await stage.run([1, 2, 3])
    assert stage.done == [1, 3]
    assert [event for event, _, _ in stage.buried] == [2]


async def test_another_active_generation_ends_the_process_with_its_own_code(exits):
    stage = Stage([1], Superseded())
    with pytest.raises(Exited):
        await stage.run([1])
    assert exits == [(EXIT_SUPERSEDED, "worker.superseded")]


@pytest.mark.parametrize("error", [Unconfirmed("x"), aiokafka.errors.MessageSizeTooLargeError(), KeyError()])
@pytest.mark.parametrize("size", [1, 4])
async def test_a_dead_letter_that_cannot_be_published_ends_the_process(error, size, exits):
    """Raised out of the stage, it would leave a worker that lives and does nothing."""
    stage = Stage([0])

    async def bury(*_: Any) -> None:
        raise error

    stage.guard._bury = bury
    with pytest.raises(Exited):
        await stage.run(list(range(size)))
    assert [code for code, _ in exits] == [EXIT_STUCK]


async def test_a_stage_that_waits_when_its_partitions_are_given_up_abandons_the_batch():
    stage = Stage()
    stage.progress.begin("record")

    async def effect(_: Any) -> None:
        raise ConnectionRefusedError

    running = asyncio.create_task(stage.guard.run("record", [1, 2], effect))
    await asyncio.sleep(0.01)
    leaving = asyncio.create_task(stage.progress.wait_until_idle())
    with pytest.raises(Abandoned):
        await asyncio.wait_for(running, 1)
    assert stage.buried == []
    stage.progress.end("record")
    await asyncio.wait_for(leaving, 1)
    assert not stage.progress.leaving.is_set()


async def test_an_abandoned_effect_is_no_fault_of_an_event():
    stage = Stage([1], Abandoned())
    with pytest.raises(Abandoned):
        await stage.run([1, 2])
    assert stage.buried == []


async def test_burying_waits_for_the_database_too(no_pauses):
    """The event's row is stored with its fate before it is a dead letter."""
    stage = Stage([1])
    errors: list[Exception] = [ConnectionRefusedError(), asyncpg.DeadlockDetectedError("x")]
    bury = stage.bury

    async def troubled(*arguments: Any) -> None:
        if errors:
            raise errors.pop()
        await bury(*arguments)

    stage.guard._bury = troubled
    await stage.run([1])
    assert [event for event, _, _ in stage.buried] == [1]
    assert len(no_pauses) == 2


async def test_r9_a_batch_that_breaks_as_a_whole_ends_the_process_and_buries_nothing(exits, logs):
    """Were its records buried one by one, each restart after a bad deploy would cost so many events more."""
    stage = Stage(range(1000), ZeroDivisionError())
    with pytest.raises(Exited):
        await stage.run(range(1000))
    assert exits == [(EXIT_STUCK, "worker.too_many_dead_letters")]
    assert stage.buried == []
    assert [entry["event"] for entry in logs] == ["stage.broken"]


async def test_r9_what_breaks_is_counted_over_batches(exits):
    stage = Stage(range(1000))
    for event in range(MOST):
        await stage.run([event])
    with pytest.raises(Exited):
        await stage.run([MOST])
    assert len(stage.buried) == MOST


async def test_r9_a_stage_that_works_does_not_hide_one_that_does_not(exits):
    """The stage that stores the dead letters works as long as there are any."""
    stage = Stage(range(1000))
    for event in range(MOST):
        await stage.run([event], "record")
        await stage.run(["a dead letter"], "bury")
    with pytest.raises(Exited):
        await stage.run([MOST], "record")
    assert exits == [(EXIT_STUCK, "worker.too_many_dead_letters")]


async def test_r9_records_that_work_between_them_do_not_hide_a_broken_half(exits):
    """One source of two is broken by a deploy: never two dead letters in a row."""
    stage = Stage(range(0, 1000, 2))
    stage.guard = Guard(stage.progress, stage.bury, Limit(10, 0.4))
    ended_at = None
    for event in range(100):
        try:
            await stage.run([event])
        except Exited:
            ended_at = event
            break
    assert (ended_at, len(stage.buried)) == (20, 10)


@pytest.mark.parametrize("size", [1, 500])
async def test_r9_a_share_that_is_not_too_large_never_ends_the_process(size):
    events = list(range(2000))
    stage = Stage(set(events[::3]))
    for start in range(0, len(events), size):
        await stage.run(events[start : start + size])
    assert [event for event, _, _ in stage.buried] == events[::3]


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.NumericValueOutOfRangeError("x"),
        asyncpg.CheckViolationError("x"),
        asyncpg.ProgramLimitExceededError("x"),
        aiokafka.errors.MessageSizeTooLargeError(),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"),
        type("ClientRefusal", (asyncpg.InterfaceError, ValueError), {})("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_r9_what_a_sender_can_cause_never_ends_the_process(error):
    """Else whoever finds a value that PostgreSQL does not take could stop every worker for good."""
    stage = Stage(range(1000), error)
    await stage.run(range(1000))
    assert len(stage.buried) == 1000


def test_r9_the_window_is_never_smaller_than_what_would_fill_it():
    assert [Limit(100, share).window for share in (1, 0.5, 0.01)] == [101, 200, 10_000]


async def test_cancelling_a_stage_is_no_fault_of_an_event():
    stage = Stage()

    async def effect(_: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await stage.guard.run("record", [1], effect)
    assert stage.buried == []


async def test_the_log_says_where_it_broke_and_nothing_of_the_record(logs: list[Any]) -> None:
    async def effect(events: Any) -> None:
        raise ValueError(f"Failing row contains ({events[0]}, a-password)")

    async def bury(*_: Any) -> None: ...

    await Guard(Progress(), bury).run("record", ["a-payload", "another"], effect)
    broken = [entry for entry in logs if entry["event"] == "stage.dead_letter"]
    assert [entry["error"] for entry in broken] == ["ValueError", "ValueError"]
    assert all(entry["at"][-1].startswith("test_guard.py:") for entry in broken)
    assert "a-pa" not in str(logs)

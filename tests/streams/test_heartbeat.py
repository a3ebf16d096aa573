"""The heartbeat ends a worker whose recovery gets nothing more, which Faust would let wait for ever."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from streams import heartbeat
from streams.consumer import App
from streams.heartbeat import SILENT_LOOKS, Heartbeat

CHANGELOG = TP("day-changelog", 0)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why the process would have ended."""
    reasons: list[str] = []
    monkeypatch.setattr(heartbeat, "exit_now", lambda _, event, **__: reasons.append(event))
    return reasons


@pytest.fixture
async def recovery(app: App):
    """Faust's own, in a recovery with three records to go."""
    recovery = app.tables.recovery
    recovery.in_recovery = True
    recovery.active_highwaters[CHANGELOG], recovery.active_offsets[CHANGELOG] = 10, 7
    return recovery


def look(app: App, times: int) -> Heartbeat:
    beating = Heartbeat(SimpleNamespace(app=app))
    for _ in range(times):
        beating._watch_recovery(app.tables.recovery)
    return beating


async def test_one_that_gets_nothing_ends_the_worker(app: App, recovery, ended: list[str]):
    look(app, SILENT_LOOKS + 1)
    assert ended == []
    look(app, SILENT_LOOKS + 2)
    assert ended == ["worker.recovery_stuck"]


async def test_one_that_gets_records_goes_on(app: App, recovery, ended: list[str]):
    beating = look(app, SILENT_LOOKS)
    for _ in range(3):
        recovery._active_events_received_at[CHANGELOG] = (
            recovery._active_events_received_at.get(CHANGELOG, 0) + 1
        )
        for _ in range(SILENT_LOOKS):
            beating._watch_recovery(recovery)
    assert ended == []


@pytest.mark.parametrize("over", ["in_recovery", "read"])
async def test_one_that_is_over_is_left_alone(app: App, recovery, over: str, ended: list[str]):
    if over == "in_recovery":
        recovery.in_recovery = False
    else:
        recovery.active_offsets[CHANGELOG] = 10
    look(app, 3 * SILENT_LOOKS)
    assert ended == []

"""A recovery goes on while records wait, and ends by Faust's own sum when none do."""

import faust
import pytest
from faust.types import TP

from streams.recovery import Recovery, TableManager

CHANGELOG = TP("counts-changelog", 0)


@pytest.fixture
def recovery() -> Recovery:
    app = faust.App("recovery", broker="kafka://127.0.0.1:1", store="memory://", TableManager=TableManager)
    made = app.tables.recovery
    assert isinstance(made, Recovery)
    assert app.tables.recovery is made
    made.active_highwaters[CHANGELOG] = 5
    return made


def test_it_goes_on_while_records_are_missing(recovery):
    recovery.active_offsets[CHANGELOG] = 4
    assert recovery.need_recovery()


def test_it_ends_when_all_are_there(recovery):
    recovery.active_offsets[CHANGELOG] = 5
    assert not recovery.need_recovery()


def test_records_that_wait_are_taken_over_first_without_a_sum(recovery, monkeypatch):
    recovery.active_offsets[CHANGELOG] = 5
    recovery.tables.changelog_queue.put_nowait(object())
    monkeypatch.setattr(recovery, "active_remaining", lambda: pytest.fail("it was added up"))
    assert recovery.need_recovery()

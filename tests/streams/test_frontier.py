"""What may be committed: never more than every stage of the topic has finished."""

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.frontier import Frontier

STAGES = {"in": ("transform",), "cdevents": ("record", "measure")}
IN = TP("in", 0)
BOTH = TP("cdevents", 0)


@pytest.fixture
def frontier() -> Frontier:
    return Frontier(STAGES)


def test_nothing_may_be_committed_before_anything_is_finished(frontier):
    assert frontier.committable(IN) is None
    assert frontier.partitions() == []


def test_the_offset_to_commit_is_the_next_record(frontier):
    frontier.advance("transform", IN, 0)
    assert frontier.committable(IN) == 1
    frontier.advance("transform", IN, 41)
    assert frontier.committable(IN) == 42


def test_offset_zero_is_an_offset(frontier):
    """Stock Faust has no gap check there."""
    frontier.advance("record", BOTH, 0)
    assert frontier.committable(BOTH) is None
    frontier.advance("measure", BOTH, 0)
    assert frontier.committable(BOTH) == 1


def test_the_slowest_stage_decides(frontier):
    frontier.advance("record", BOTH, 99)
    assert frontier.committable(BOTH) is None
    frontier.advance("measure", BOTH, 9)
    assert frontier.committable(BOTH) == 10
    frontier.advance("measure", BOTH, 120)
    assert frontier.committable(BOTH) == 100


def test_partitions_are_apart(frontier):
    frontier.advance("transform", IN, 5)
    assert frontier.committable(TP("in", 1)) is None
    assert frontier.partitions() == [IN]


def test_a_batch_that_is_done_again_moves_nothing_back(frontier):
    frontier.advance("transform", IN, 9)
    frontier.advance("transform", IN, 3)
    assert frontier.committable(IN) == 10


def test_gaps_in_the_offsets_need_no_bookkeeping(frontier):
    """Compaction and transaction markers leave them."""
    for offset in (0, 7, 8, 4096):
        frontier.advance("transform", IN, offset)
    assert frontier.committable(IN) == 4097


def test_r12_a_gap_behind_the_last_record_is_passed_once_every_stage_has_finished_it(frontier):
    frontier.pass_gap(BOTH, None, 3)
    assert frontier.committable(BOTH) == 3, "there was no record before 3"
    frontier.advance("record", BOTH, 5)
    frontier.pass_gap(BOTH, 5, 9)
    assert frontier.committable(BOTH) == 3, "measure has not finished 5"
    frontier.advance("measure", BOTH, 5)
    frontier.pass_gap(BOTH, 5, 9)
    assert frontier.committable(BOTH) == 9
    frontier.pass_gap(BOTH, 5, 7)
    assert frontier.committable(BOTH) == 9


def test_r12_a_stage_that_has_finished_nothing_passes_no_gap_behind_a_record(frontier):
    frontier.advance("record", BOTH, 5)
    frontier.pass_gap(BOTH, 5, 9)
    assert frontier.committable(BOTH) is None


def test_given_up_partitions_are_forgotten(frontier):
    frontier.advance("transform", IN, 5)
    frontier.clear()
    assert frontier.committable(IN) is None
    assert frontier.partitions() == []


def test_changelogs_are_not_among_the_topics(frontier):
    assert frontier.topics == {"in", "cdevents"}


@given(st.lists(st.tuples(st.sampled_from(["record", "measure"]), st.integers(1, 20)), max_size=30))
def test_everything_before_the_committable_offset_is_finished_by_every_stage(batches):
    frontier = Frontier(STAGES)
    finished = {"record": 0, "measure": 0}
    for stage, size in batches:
        finished[stage] += size
        frontier.advance(stage, BOTH, finished[stage] - 1)
        assert (frontier.committable(BOTH) or 0) == min(finished.values())

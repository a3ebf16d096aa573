"""What counts as a rollout, told by examples: (number, template) looks and the rollouts that they make."""

import pytest

from streams.kubernetes.rollouts import (
    MOST_SPANS,
    Rollout,
    Span,
    Spans,
    add,
    earliest,
    forget,
    rollout_of,
    rollouts,
    weight,
)


def at(second: int) -> str:
    return f"2026-11-23T07:00:{second:02d}Z"


def done(sequence: int, digest: str, **others: object) -> Span:
    """A look at a complete rollout that tells its own time."""
    return Span(sequence, sequence, digest, ready=at(sequence), **others)  # type: ignore[arg-type]


def met(sequence: int, digest: str, **others: object) -> Span:
    """A look at a complete rollout that tells no time, as of a StatefulSet."""
    return Span(sequence, sequence, digest, seen=at(sequence), **others)  # type: ignore[arg-type]


def going(sequence: int, digest: str, *, started: bool = False) -> Span:
    return Span(sequence, sequence, digest, started=started)


def unsure(sequence: int, digest: str) -> Span:
    return Span(sequence, sequence, digest, certain=False)


def spans_of(*looks: Span) -> Spans:
    spans: Spans = ()
    for look in looks:
        spans = add(spans, look)
    return spans


def kinds(*looks: Span) -> dict[int, str]:
    return {first: rollout.kind for first, rollout in rollouts(spans_of(*looks)).items()}


CASES = {
    "the first revision is a deployment": ([done(1, "a")], {1: "deployed"}),
    "another template is an upgrade": ([done(1, "a"), done(2, "b")], {1: "deployed", 2: "upgraded"}),
    "first met late, still at its own time": ([done(7, "a")], {7: "upgraded"}),
    "a restart continues its rollout": ([done(1, "a"), done(2, "a"), done(3, "a")], {1: "deployed"}),
    "one that never became ready is none": (
        [done(1, "a"), going(2, "b"), done(3, "c")],
        {1: "deployed", 3: "upgraded"},
    ),
    "back from one that never became ready": (
        [done(1, "a"), going(2, "b"), done(3, "a")],
        {1: "deployed", 3: "rolledback"},
    ),
    "back to what never was ready is an upgrade": (
        [done(1, "a"), going(2, "b"), done(3, "c"), done(4, "b")],
        {1: "deployed", 3: "upgraded", 4: "upgraded"},
    ),
    "back to one of long ago": (
        [done(1, "a"), done(2, "b"), done(3, "c"), done(4, "a")],
        {1: "deployed", 2: "upgraded", 3: "upgraded", 4: "rolledback"},
    ),
    "an unknown number between equal templates changes nothing": (
        [done(1, "a"), done(3, "a")],
        {1: "deployed"},
    ),
    "ready only after a restart": ([going(4, "a"), done(5, "a")], {4: "upgraded"}),
    "a template whose pods could not be made stands between": (
        [done(1, "a"), unsure(2, "b"), done(3, "a")],
        {1: "deployed", 3: "rolledback"},
    ),
    "the new template beside the old revision names nothing": (
        [unsure(4, "b"), done(5, "b")],
        {5: "upgraded"},
    ),
    "the new template does not displace the old": (
        [done(4, "a"), unsure(4, "b"), done(5, "b")],
        {4: "upgraded", 5: "upgraded"},
    ),
    "met complete: nothing tells since when": ([met(4, "a")], {}),
    "met complete at its first number": ([met(1, "a")], {1: "deployed"}),
    "met while it began": ([going(4, "a", started=True), met(4, "a")], {4: "upgraded"}),
    "met complete after another": ([met(4, "a"), met(5, "b")], {5: "upgraded"}),
    "back to what was met complete": (
        [met(4, "a"), met(5, "b"), met(6, "a")],
        {5: "upgraded", 6: "rolledback"},
    ),
    "the same template on each change of scale": ([met(4, "a"), met(5, "a"), met(6, "a")], {}),
    "the same template written otherwise, as after an upgrade of the API server, is no rollout": (
        [done(4, "a"), done(5, "a"), done(5, "b"), done(6, "c")],
        {4: "upgraded", 6: "upgraded"},
    ),
    "of contradicting looks the one that was complete holds": (
        [done(2, "a"), going(2, "b"), done(3, "c")],
        {2: "upgraded", 3: "upgraded"},
    ),
}


@pytest.mark.parametrize(("looks", "expected"), CASES.values(), ids=CASES.keys())
def test_rollouts(looks: list[Span], expected: dict[int, str]):
    assert kinds(*looks) == expected
    assert kinds(*reversed(looks)) == expected


def test_a_rollout_is_placed_at_the_first_time_it_was_complete():
    spans = spans_of(done(2, "a"), done(3, "a"), Span(2, 2, "a", seen=at(40)))
    assert rollouts(spans)[2] == Rollout("upgraded", at(2), ())


def test_a_look_that_tells_an_earlier_time_weighs_no_more_but_changes_the_time():
    late, early = spans_of(met(1, "a")), spans_of(met(1, "a"), Span(1, 1, "a", seen=at(0)))
    assert weight(late) == weight(early)
    assert rollouts(early)[1].at == at(0)


def test_whole_seconds_come_before_their_fractions():
    assert earliest("2026-11-23T07:00:01.5Z", "2026-11-23T07:00:01Z") == "2026-11-23T07:00:01Z"
    assert earliest(None, None) is None


def test_the_rollout_of_a_look():
    spans = spans_of(done(2, "a"), done(3, "a"), going(3, "b"), going(4, "c"))
    assert rollout_of(spans, done(3, "a")) == (2, True)
    assert rollout_of(spans, going(4, "c")) == (4, False)
    assert rollout_of(spans, going(3, "b")) is None


def test_the_rollout_of_a_look_that_met_it_complete():
    assert rollout_of(spans_of(met(4, "a")), met(4, "a")) == (4, False)
    assert rollout_of(spans_of(met(4, "a")), met(4, "a"), forgotten=1) == (4, True)
    assert rollout_of(spans_of(met(3, "b"), met(4, "a")), met(4, "a")) == (4, True)


def test_the_oldest_spans_are_forgotten_and_their_weight_kept():
    spans = spans_of(*(done(number, f"t{number}") for number in range(1, MOST_SPANS + 6)))
    kept, lost = forget(spans)
    assert len(kept) == MOST_SPANS
    assert kept[0].first == 6
    assert lost + weight(kept) == weight(spans)


def test_after_forgetting_every_rollout_had_one_before():
    kept, _ = forget(spans_of(*(met(number, f"t{number}") for number in range(3, MOST_SPANS + 5))))
    assert kept[0].first not in rollouts(kept)
    assert rollouts(kept, forgotten=1)[kept[0].first].kind == "upgraded"

"""Neither order, nor repetition, nor loss of messages lets the tables depend on how the messages arrived."""

import json
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import Catalog
from schemas.cdevents.event import complete
from streams.facts import deployment_of, merge_all
from streams.kubernetes.rollouts import Span, Spans, add, rollouts, weight
from streams.outcome import Mapped, Observed
from streams.transformers.kubernetes import source

SEQUENCES = st.integers(1, 9)
DIGESTS = st.sampled_from("abc")
SECONDS = st.integers(0, 59)


def instant(second: int) -> str:
    return f"2026-11-23T07:{second // 60:02d}:{second % 60:02d}Z"


@st.composite
def arbitrary_looks(draw: st.DrawFn) -> Span:
    """Any look at all, also such as contradict each other."""
    sequence, digest, certain = draw(SEQUENCES), draw(DIGESTS), draw(st.booleans())
    if not certain:
        return Span(sequence, sequence, digest, certain=False, artifacts=(digest,))
    times = st.none() | SECONDS.map(instant)
    return Span(sequence, sequence, digest, True, draw(st.booleans()), draw(times), draw(times), (digest,))


def added(looks: list[Span]) -> Spans:
    spans: Spans = ()
    for look in looks:
        spans = add(spans, look)
    return spans


@given(st.lists(arbitrary_looks(), max_size=30), st.randoms(use_true_random=False))
def test_adding_is_commutative_and_associative(looks: list[Span], chance: Any):
    shuffled = looks[:]
    chance.shuffle(shuffled)
    assert added(shuffled) == added(looks)


@given(st.lists(arbitrary_looks(), max_size=30))
def test_adding_again_gives_the_very_same_object(looks: list[Span]):
    spans = added(looks)
    for look in looks:
        assert add(spans, look) is spans


@given(st.lists(arbitrary_looks(), max_size=30), arbitrary_looks())
def test_knowledge_never_weighs_less_than_before(looks: list[Span], look: Span):
    spans = added(looks)
    assert weight(add(spans, look)) >= weight(spans)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Facts of one object as a cluster could tell them: rollouts one after the other, some messages lost."""
    by_revision = draw(st.booleans())
    told: list[dict[str, Any]] = []
    second = 0
    for sequence in range(draw(st.integers(1, 4)), draw(st.integers(5, 12))):
        digest = draw(DIGESTS)
        if by_revision and draw(st.booleans()):
            # One change of template and scale: the old revision beside the new template.
            told.append(facts(sequence - 1 or 1, digest, second, certain=sequence == 1))
        told.append(facts(sequence, digest, second + 1, started=True))
        if draw(st.booleans()):
            ready = instant(second + 2) if by_revision else None
            told.append(facts(sequence, digest, second + 3, phase="complete", ready=ready))
            told.append(facts(sequence, digest, second + 4, phase="complete", ready=ready))
        second += 5
    if by_revision:
        told += [event(name, at) for name, at in draw(st.dictionaries(DIGESTS, SECONDS)).items()]
    lost = draw(st.sets(st.integers(0, len(told) - 1), max_size=len(told) // 3))
    return [each for index, each in enumerate(told) if index not in lost]


def facts(sequence: int, digest: str, second: int, **others: Any) -> dict[str, Any]:
    return {
        **common("object", second),
        "phase": "progressing",
        "sequence": sequence,
        "digest": digest,
        "certain": True,
        "started": False,
        "ready": None,
        "artifacts": [f"pkg:oci/{digest}"],
        "deleted": False,
        "deleted_at": None,
        **others,
    }


def event(name: str, second: int) -> dict[str, Any]:
    return {**common("event", second), "replica_set": name, "told_at": instant(second)}


def common(of: str, second: int) -> dict[str, Any]:
    where = {"namespace": "staging", "name": "checkout", "environment": "staging"}
    return {"of": of, **where, "source": "/cluster", "time": instant(second)}


def fold_all(history: list[dict[str, Any]]) -> tuple[Any, dict[str, tuple[Any, ...]]]:
    """The last state, and what the tables hold after all reports."""
    assert source.fold is not None
    state, reports = None, []
    for position, each in enumerate(history):
        state, settled = source.fold(json.loads(json.dumps(state)), Observed("u", each), Catalog.empty())
        for draft in settled.drafts if isinstance(settled, Mapped) else ():
            cdevent = complete(draft, rule="kubernetes", cause=("/c", str(position)), ordinal=0)
            reports.append(deployment_of(cdevent, Catalog.empty()))
    rows = merge_all(report for report in reports if report is not None)
    return state, {
        deploy_id: (row.kind, row.time_created, row.artifact)
        for deploy_id, row in rows.items()
        if row.kind != "withdrawn"
    }


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_state_and_tables_do_not_depend_on_order_or_repetition(history: list[dict[str, Any]], chance: Any):
    shuffled = history + chance.choices(history, k=len(history) // 2) if history else []
    chance.shuffle(shuffled)
    assert fold_all(shuffled) == fold_all(history)


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_the_reports_add_up_to_what_is_known(history: list[dict[str, Any]], chance: Any):
    chance.shuffle(history)
    state, effective = fold_all(history)
    if state is None or not state["observed"]:
        return
    spans = tuple(Span._make(span) for span in state["spans"])
    known = {f"u:{first}": rollout.kind for first, rollout in rollouts(spans).items()}
    assert {deploy_id: kind for deploy_id, (kind, *_) in effective.items()} == known


def test_every_order_of_a_short_history():
    """Deployed, upgraded, restarted, failed, rolled back: all 720 orders."""
    history = [
        facts(1, "a", 1, phase="complete", ready=instant(1)),
        facts(2, "b", 2, phase="complete", ready=instant(2)),
        facts(3, "b", 3, phase="complete", ready=instant(3)),
        facts(4, "c", 4, phase="failed"),
        facts(5, "b", 5, phase="complete", ready=instant(5)),
        event("checkout-1", 1),
    ]
    outcomes = {
        json.dumps(fold_all(list(order)), default=str, sort_keys=True) for order in permutations(history)
    }
    assert len(outcomes) == 1
    _, effective = fold_all(history)
    assert {deploy_id: kind for deploy_id, (kind, *_) in effective.items()} == {
        "u:1": "deployed",
        "u:2": "upgraded",
        "u:5": "rolledback",
    }

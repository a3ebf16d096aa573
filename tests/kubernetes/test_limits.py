"""An object that lives long: its state stays small, and what was told stays told."""

import json
from typing import Any

from schemas.catalog import Catalog
from streams.kubernetes.objects import MOST_REPLICA_SETS
from streams.kubernetes.rollouts import MOST_SPANS
from streams.outcome import Ignored, Mapped, Observed, Settled
from streams.transformers.kubernetes import FORGOTTEN, source

LONG = MOST_SPANS * 4


def minute(number: int) -> str:
    return f"2026-11-23T{number // 60:02d}:{number % 60:02d}:00Z"


def rollout(number: int, digest: str, **others: Any) -> dict[str, Any]:
    return {
        **common("object", number),
        "phase": "complete",
        "sequence": number,
        "digest": digest,
        "certain": True,
        "started": False,
        "ready": minute(number),
        "artifacts": [f"pkg:oci/checkout?repository_url=registry.example/shop/checkout&tag={digest}"],
        "deleted": False,
        "deleted_at": None,
        **others,
    }


def common(of: str, number: int) -> dict[str, Any]:
    where = {"namespace": "staging", "name": "checkout", "environment": "staging"}
    return {"of": of, **where, "source": "/cluster", "time": minute(number)}


def fold(state: Any, facts: dict[str, Any]) -> tuple[Any, Settled]:
    assert source.fold is not None
    return source.fold(state, Observed("u", facts), Catalog.empty())


def types(settled: Settled) -> list[str]:
    return [draft.type for draft in settled.drafts] if isinstance(settled, Mapped) else []


def test_hundreds_of_rollouts_are_each_told_once_and_never_taken_back():
    state, told = None, []
    for number in range(1, LONG + 1):
        state, settled = fold(state, rollout(number, f"template-{number}"))
        told.append(types(settled))
    assert told[0] == ["dev.cdevents.service.deployed.0.3.0"]
    assert set(map(tuple, told[1:])) == {("dev.cdevents.service.upgraded.0.3.0",)}
    assert len(state["spans"]) == MOST_SPANS
    assert len(json.dumps(state)) < 12_000


def test_evidence_grows_on_when_spans_are_forgotten():
    state, evidence = None, []
    for number in range(1, LONG + 1):
        state, settled = fold(state, rollout(number, f"template-{number}"))
        assert isinstance(settled, Mapped)
        evidence.append(settled.drafts[0].dora["evidence"])
    assert evidence == sorted(set(evidence))


def test_a_repeated_message_about_a_forgotten_rollout_is_ignored():
    state = None
    for number in range(1, LONG + 1):
        state, _ = fold(state, rollout(number, f"template-{number}"))
    after, settled = fold(state, rollout(3, "template-3"))
    assert after is state
    assert settled == Ignored(FORGOTTEN)
    # The same template as the oldest that is remembered, which must not be taken for its beginning.
    oldest = state["spans"][0]
    assert fold(state, rollout(oldest[0] - 1, oldest[2]))[1] == Ignored(FORGOTTEN)


def test_a_stateful_set_that_is_scaled_all_day_stays_one_span():
    state = None
    for number in range(1, 1000):
        state, _ = fold(state, rollout(number, "template", ready=None))
    assert len(state["spans"]) == 1
    assert state["spans"][0][:2] == [1, 999]


def test_the_newest_replica_sets_are_remembered_and_withdrawn_when_the_object_shows_up():
    state = None
    for number in range(MOST_REPLICA_SETS + 20):
        told = {**common("event", number), "replica_set": f"shop-{number}", "told_at": minute(number)}
        state, settled = fold(state, told)
        assert types(settled) == ["dev.cdevents.service.deployed.0.3.0"]
    assert len(state["replica_sets"]) == MOST_REPLICA_SETS
    assert "shop-0" not in state["replica_sets"]
    _, settled = fold(state, rollout(1, "template"))
    assert len([each for each in types(settled) if "withdrawn" in each]) == MOST_REPLICA_SETS

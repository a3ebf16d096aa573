"""What a real cluster and the real Knative adapter sent; the README beside it says what it must become."""

import json
import random
from collections import defaultdict

import pytest

from schemas.catalog import Catalog
from streams.outcome import Ignored, Observed, Unmapped
from streams.transformers.kubernetes import source
from tests.kubernetes.recorded import EXPECTED, Played, play, requests, steps, timed_requests

OBJECTS, EVENTS, REFERENCES = (requests(name) for name in ("deployments", "events", "references"))
SEEDS = range(40)


@pytest.fixture(scope="module")
def in_order() -> Played:
    return play(OBJECTS)


def test_the_fixture_is_whole():
    assert (len(OBJECTS), len(EVENTS), len(REFERENCES)) == (134, 85, 116)


def test_the_objects_alone_become_the_table(in_order: Played):
    assert in_order.table == EXPECTED
    assert {fate.fate for fate in in_order.fates} == {"mapped", "ignored"}


def test_each_rollout_is_reported_once_and_nothing_is_withdrawn(in_order: Played):
    ids = [cdevent.id for cdevent in in_order.cdevents]
    assert len(ids) == len(set(ids)) == sum(map(sum, EXPECTED.values()))
    assert not any("withdrawn" in cdevent.type for cdevent in in_order.cdevents)


def test_identity_is_the_uid_and_the_revision(in_order: Played):
    staging = sorted(
        int(deploy_id.rpartition(":")[2])
        for deploy_id in in_order.effective
        if deploy_id.startswith("40d9504b-afcf-4563-8d4e-9e9be4b98214:")
    )
    # 3 is the restart, 5 the rollout that failed.
    assert staging == [1, 2, 4, 6, 7, 8, 9]


def test_a_deployment_is_placed_at_its_completion(in_order: Played):
    first = in_order.deployments["40d9504b-afcf-4563-8d4e-9e9be4b98214:1"]
    assert first.time_created.isoformat() == "2026-11-23T07:40:48+00:00"
    assert first.artifact == "pkg:oci/checkout?repository_url=registry.example/shop/checkout&tag=1.0.0"
    assert (first.basis, first.channel, first.deploy_name) == ("object", "kubernetes", "checkout")


def test_all_containers_are_told(in_order: Played):
    production = [
        cdevent.dora
        for cdevent in in_order.cdevents
        if cdevent.dora["environment"] == "production" and cdevent.dora["service"] == "checkout"
    ]
    assert [len(dora["images"]) for dora in production] == [2, 2]
    assert production[0]["artifact"] == production[1]["artifact"]  # only the proxy's image changed
    assert production[0]["images"][1] != production[1]["images"][1]


def test_every_step_becomes_what_it_means():
    played, seen = Played(), defaultdict(list)
    begins = [step["at"] for step in steps()]
    for received, event in timed_requests("deployments"):
        number = sum(begin <= received for begin in begins)
        seen[number].append(played.take(event))
    for step in steps():
        fates = seen[step["step"]]
        told = [(c.type, c.dora["environment"], c.dora["service"]) for fate in fates for c in fate.cdevents]
        expected = [tuple(text.split()) for text in step["expect"]]
        named = [
            (kind.removeprefix("dev.cdevents.").rsplit(".", 3)[0], f"{where}/{name}")
            for kind, where, name in told
        ]
        assert named == expected, step["what"]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (3, "the workload is scaling"),
        (4, "scale, labels or status changed"),
        (5, "the workload is scaling"),
        (6, "scale, labels or status changed"),
        (7, "a restart"),
        (9, "not complete before its progress deadline"),
        (13, "paused"),
    ],
)
def test_what_is_no_rollout_is_ignored_with_its_reason(step: int, reason: str):
    begins = [entry["at"] for entry in steps()] + ["9999"]
    played = Played()
    reasons = []
    for received, event in timed_requests("deployments"):
        fate = played.take(event)
        if begins[step - 1] <= received < begins[step] and fate.fate == "ignored":
            reasons.append(fate.reason or "")
    assert any(reason in each for each in reasons), reasons


def test_events_alone_count_each_replica_set_at_most_once():
    played = play(EVENTS)
    assert {row.kind for row in played.deployments.values()} == {"deployed"}
    assert {row.basis for row in played.deployments.values()} == {"event"}
    # Six ReplicaSets in staging (the restart and the failed rollout among them: Events cannot tell), one of
    # the Deployment that was made again, two in production; the last upgrade was lost to Event rate limits.
    assert played.table == {("checkout", "staging"): (7, 0, 0, 0), ("checkout", "production"): (2, 0, 0, 0)}


def test_events_say_what_they_cannot_tell():
    reasons = {cdevent.dora["reason"] for cdevent in play(EVENTS).cdevents}
    assert reasons == {
        "told by Event objects only, which cannot tell a restart or a failing rollout from a good one"
    }


def test_scaling_events_are_ignored_with_a_reason():
    played = Played()
    for event in EVENTS:
        fate, message = played.take(event), event.data["message"]
        if "Scaled up" in message and "from 0 to" not in message:
            assert fate.fate == "ignored"
            assert "not up from zero" in (fate.reason or "")


@pytest.mark.parametrize("events", [REFERENCES], ids=["references"])
def test_references_are_unmapped_and_say_what_to_change(events: tuple):
    for event in events:
        outcome = source.transform(event, Catalog.empty())
        assert isinstance(outcome, Unmapped)
        assert "`mode: Resource`" in outcome.reason


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_duplicates_do_not_matter(seed: int, in_order: Played):
    shuffled = [*OBJECTS, *OBJECTS]
    random.Random(seed).shuffle(shuffled)
    played = play(shuffled)
    assert played.table == EXPECTED
    assert played.effective == in_order.effective
    assert played.states == in_order.states


@pytest.mark.parametrize("seed", SEEDS)
def test_events_beside_objects_change_nothing(seed: int, in_order: Played):
    chance = random.Random(seed)
    mixed = [*OBJECTS, *EVENTS, *chance.sample([*OBJECTS, *EVENTS], 100)]
    chance.shuffle(mixed)
    played = play(mixed)
    assert played.table == EXPECTED
    assert played.effective == in_order.effective
    withdrawn = [
        row for row in played.deployments.values() if row.kind == "withdrawn" and row.basis == "event"
    ]
    assert len(withdrawn) == 9
    assert not any(row.counted for row in withdrawn)


@pytest.mark.parametrize("first", [OBJECTS, EVENTS], ids=["objects first", "events first"])
def test_either_may_come_first(first: tuple, in_order: Played):
    second = EVENTS if first is OBJECTS else OBJECTS
    assert play([*first, *second]).effective == in_order.effective


def test_a_message_that_tells_nothing_new_leaves_the_state_as_it_was(in_order: Played):
    assert source.fold is not None
    for event in OBJECTS:
        outcome = source.transform(event, Catalog.empty())
        assert isinstance(outcome, Observed)
        state = in_order.states[outcome.key]
        after, settled = source.fold(state, outcome, Catalog.empty())
        assert after is state
        assert isinstance(settled, Ignored)


def test_states_stay_small(in_order: Played):
    assert max(len(json.dumps(state)) for state in in_order.states.values()) < 2_500


def test_the_catalog_names_service_and_environment():
    catalog = Catalog.parse(
        """
        environments: {live: [production]}
        services:
          shop: {workloads: [checkout], environments: {test: [staging]}}
          database: {workloads: [{name: production/orders-db, environment: data}]}
        """
    )
    table = play(OBJECTS, catalog).table
    assert table == {
        ("shop", "test"): EXPECTED["checkout", "staging"],
        ("shop", "live"): EXPECTED["checkout", "production"],
        ("database", "data"): EXPECTED["orders-db", "production"],
        ("log-agent", "live"): EXPECTED["log-agent", "production"],
    }

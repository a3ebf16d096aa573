"""Kubewatch tells of the same objects as an ApiServerSource, and what they mean is the same.

Its events of cdviz' own tests are played, and where we answer otherwise than this peer, it is said why.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ingress.webhooks.kubewatch import provider
from ingress.webhooks.provider import WebhookRequest
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Observed, Unmapped
from streams.router import Fate, settle
from streams.transformers.kubernetes import source

ROOT = Path(__file__).parents[1] / "fixtures" / "cdviz" / "kubewatch_cloudevents"

UNFINISHED = (
    "one of two pods is updated: the peer tells of a deployment as soon as another image is asked for, and"
    " whenever no old object is sent; we tell of it when the rollout is complete"
)
# What the peer makes of each, and why we make something else.
PEER = {
    "deployment__update": ("service.upgraded", UNFINISHED),
    "deployment__update_missing_oldobj": ("service.deployed", UNFINISHED),
    "deployment__update_same": (None, "agreed: nothing was deployed"),
    "pod__update": (None, "agreed: a pod is part of a rollout"),
}


def sent(case: str) -> Any:
    return json.loads((ROOT / case / "input.json").read_text())


def received(message: Any) -> CloudEvent:
    return provider.translate(WebhookRequest({}, json.dumps(message).encode(), 0.0))


def play(*messages: Any) -> list[Fate]:
    """What each of the messages becomes, one after the other."""
    states: dict[str, Any] = {}
    fates = []
    for message in messages:
        event = received(message)
        outcome = source.transform(event, Catalog.empty())
        if isinstance(outcome, Observed):
            key = outcome.key
            assert source.fold is not None
            states[key], outcome = source.fold(states.get(key), outcome, Catalog.empty())
        fates.append(settle(outcome, rule=source.name, event=event))
    return fates


def complete(message: Any, *, image: str | None = None, revision: int = 5) -> Any:
    """The message of the moment when all pods are there."""
    told = copy.deepcopy(message)
    told["id"] += f"-{revision}"
    workload = told["data"]["obj"]
    workload["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(revision)
    replicas = workload["spec"]["replicas"]
    workload["status"] |= {
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
    }
    available, progressing = workload["status"]["conditions"]
    progress = {
        **progressing,
        "reason": "NewReplicaSetAvailable",
        "lastUpdateTime": f"2024-12-18T17:58:3{revision}Z",
    }
    workload["status"]["conditions"] = [available, progress]
    if image is not None:
        workload["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return told


def named(cdevent: CDEvent) -> str:
    return ".".join(cdevent.type.split(".")[2:4])


@pytest.mark.parametrize("case", sorted(PEER))
def test_each_difference_from_the_peer_has_its_reason(case: str):
    expected = [
        json.loads(file.read_text())["context"]["type"] for file in (ROOT / case).glob("expected_0_5.*.json")
    ]
    peer, note = PEER[case]
    assert [".".join(each.split(".")[2:4]) for each in expected] == ([peer] if peer else [])
    (fate,) = play(sent(case))
    assert (fate.fate, fate.cdevents) == ("ignored", ())
    assert note.startswith("agreed") == (peer is None)


def test_all_of_the_peers_cases_are_played():
    assert {folder.name for folder in ROOT.iterdir()} == set(PEER)


def test_a_rollout_is_told_of_when_it_is_complete_and_then_once():
    begun = sent("deployment__update")
    done = complete(begun)
    fates = play(begun, done, done)
    assert [fate.fate for fate in fates] == ["ignored", "mapped", "ignored"]
    (upgraded,) = fates[1].cdevents
    assert named(upgraded) == "service.upgraded"  # its revision is the fifth
    assert upgraded.timestamp == "2024-12-18T17:58:35Z"
    assert {key: value for key, value in upgraded.dora.items() if key != "evidence"} == {
        "deploy_id": "c33b4bb5-4086-49d6-8557-7994b862983a:5",
        "service": "aaaaaaaaa",
        "environment": "aaaaaaaaa",
        "artifact": "pkg:oci/aaaaaaaaa?repository_url=docker.io/robustadev/aaaaaaaaa&tag=v2.9.0",
        "basis": "object",
        "channel": "kubernetes",
    }


def test_going_back_to_an_image_is_a_rollback():
    update = sent("deployment__update")
    old, new = "robustadev/aaaaaaaaa:v2.8.0", "robustadev/aaaaaaaaa:v2.9.0"
    fates = play(
        complete(update, image=old, revision=4),
        complete(update, image=new, revision=5),
        complete(update, image=old, revision=6),
    )
    assert [named(cdevent) for fate in fates for cdevent in fate.cdevents] == [
        "service.upgraded",
        "service.upgraded",
        "service.rolledback",
    ]


def test_a_deployment_that_is_gone_is_removed():
    done = complete(sent("deployment__update"))
    gone = copy.deepcopy(done)
    gone["id"], gone["data"]["operation"] = "gone", "delete"
    assert [named(cdevent) for fate in play(done, gone) for cdevent in fate.cdevents] == [
        "service.upgraded",
        "service.removed",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"obj": None}, "Kubewatch sent no object with this event; a newer version does"),
        ({"obj": []}, "KUBERNETES_TOPOLOGY_CHANGE: unexpected shape (TypeError) near 'apiVersion'"),
        (
            {"kind": "Service", "apiVersion": "v1"},
            "kubernetes: no rule for Service objects of API group core",
        ),
    ],
)
def test_what_kubewatch_does_not_show_is_not_guessed(change: dict[str, Any], reason: str):
    message = sent("deployment__update")
    message["data"] |= change
    assert source.transform(received(message), Catalog.empty()) == Unmapped(reason)


def test_a_message_without_its_object_says_so():
    message = sent("deployment__update")
    del message["data"]["obj"]
    outcome = source.transform(received(message), Catalog.empty())
    assert outcome == Unmapped("KUBERNETES_TOPOLOGY_CHANGE: no field 'obj'")

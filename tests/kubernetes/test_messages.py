"""Single messages: what is observed, what is ignored or unmapped and why, and that no payload raises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.kafka import read_record
from streams.outcome import Ignored, Mapped, Observed, Outcome, Unmapped
from streams.transformers.kubernetes import BEGINNING_UNKNOWN, source
from tests.kubernetes.objects import message, workload
from tests.kubernetes.recorded import Played, play, requests

PAYLOADS = Path(__file__).parents[1] / "fixtures" / "payloads" / "knative-apiserversource"
KAFKA_RECORDS = PAYLOADS.parent / "knative-kafkasink-records"
EMPTY = Catalog.empty()


def transform(event: CloudEvent) -> Outcome:
    return source.transform(event, EMPTY)


def about_a_deployment(
    message: str = "Scaled up replica set shop-5d4 to 1", **changes: Any
) -> dict[str, Any]:
    told = {
        "apiVersion": "v1",
        "kind": "Event",
        "reason": "ScalingReplicaSet",
        "message": message,
        "involvedObject": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "shop",
            "namespace": "default",
            "uid": "u-1",
        },
    }
    return {**told, **changes}


def replica_set_of(told: dict[str, Any]) -> Any:
    outcome = transform(message(told))
    return outcome.facts["replica_set"] if isinstance(outcome, Observed) else None


@pytest.mark.parametrize(
    ("text", "replica_set"),
    [
        ("Scaled up replica set shop-5d4 to 1", "shop-5d4"),
        ("Scaled up replica set shop-5d4 from 0 to 3", "shop-5d4"),
        ("(combined from similar events): Scaled up replica set shop-5d4 from 0 to 1", "shop-5d4"),
        ("Scaled up replica set shop-5d4 from 1 to 3", None),
        ("Scaled down replica set shop-5d4 from 3 to 0", None),
        ("Scaled up replica set shop-5d4 from 0 to 0", None),
        ("Scaled up replica set Shop/5d4 to 1", None),
        ("", None),
    ],
)
def test_only_a_replica_set_scaled_up_from_zero_is_a_beginning(text: str, replica_set: str | None):
    assert replica_set_of(about_a_deployment(text)) == replica_set


def test_events_of_the_newer_api_group_tell_the_same():
    told = about_a_deployment(apiVersion="events.k8s.io/v1")
    told["regarding"], told["note"] = told.pop("involvedObject"), told.pop("message")
    told["deprecatedFirstTimestamp"] = "2026-11-23T07:00:00Z"
    outcome = transform(message(told))
    assert isinstance(outcome, Observed)
    assert (outcome.key, outcome.facts["told_at"]) == ("u-1", "2026-11-23T07:00:00Z")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (about_a_deployment(reason="FailedCreate"), "a FailedCreate Event about a Deployment"),
        (about_a_deployment(involvedObject={"kind": "Pod"}), "an Event about a Pod"),
        (about_a_deployment(involvedObject={"kind": "StatefulSet"}), "watch the objects themselves"),
        ({"apiVersion": "v1", "kind": "Pod"}, "a Pod is part of a rollout"),
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet"}, "a ReplicaSet is part of a rollout"),
    ],
)
def test_ignored_with_a_reason(told: dict[str, Any], reason: str):
    outcome = transform(message(told))
    assert isinstance(outcome, Ignored)
    assert reason in outcome.reason


def test_an_event_object_that_expires_is_no_news():
    assert transform(message(about_a_deployment(), verb="delete")) == Ignored("an Event object expired")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            {"apiVersion": "app.k8s.io/v1beta1", "kind": "Application"},
            "Application objects of API group app.k8s.io",
        ),
        ({"apiVersion": "v1", "kind": "Service"}, "Service objects of API group core"),
        # Another group's Deployment is another thing.
        (workload("Deployment", apiVersion="example.org/v1"), "Deployment objects of API group example.org"),
        (workload("Deployment", metadata__uid=None), "no field 'metadata.uid'"),
        (workload("Deployment", metadata__name="a b"), "unexpected shape"),
        (workload("Deployment", spec=None), "no field 'spec'"),
        (None, "unexpected shape"),
        ([], "unexpected shape"),
    ],
)
def test_unmapped_with_a_reason(told: Any, reason: str):
    outcome = transform(message(told))
    assert isinstance(outcome, Unmapped)
    assert reason in outcome.reason


def test_data_that_is_no_json_is_unmapped():
    assert transform(CloudEvent(message({}).attributes, b"{")) == Unmapped(
        "kubernetes: data is not valid JSON"
    )
    assert isinstance(transform(CloudEvent(message({}).attributes, None)), Unmapped)


def test_other_types_of_the_adapter_are_unmapped():
    outcome = transform(message({}, type="dev.knative.apiserver.something"))
    assert outcome == Unmapped("kubernetes: no rule for type 'dev.knative.apiserver.something'")


def test_recorded_payloads_of_other_clusters():
    fates = {}
    for line in map(json.loads, (PAYLOADS / "manifest.jsonl").read_text().splitlines()):
        attributes = {name[3:]: value for name, value in line["headers"].items() if name.startswith("ce-")}
        fate = Played().take(CloudEvent(attributes, (PAYLOADS / line["path"]).read_bytes()))
        fates.setdefault(line["event"], set()).add((fate.fate, *(c.type for c in fate.cdevents)))
    assert fates == {
        "resource.add.Deployment": {("ignored",)},  # both are recorded amid a rollout
        "resource.update.Deployment": {("ignored",)},
        "ref.update.Deployment": {("unmapped",)},
        "ref.update.Pod": {("unmapped",)},
        "resource.add.Pod": {("ignored",)},
        "resource.update.Pod": {("ignored",)},
        "resource.update.Event": {("ignored",)},
        # Applications of Argo CD mean what streams.argocd says.
        "resource.update.Application": {
            ("mapped", "dev.cdevents.service.deployed.0.3.0"),
            ("mapped", "dev.cdeventsx.dora-deployment.failed.0.1.0", "dev.cdevents.incident.detected.0.3.0"),
        },
        "resource.delete.Application": {("mapped", "dev.cdevents.service.removed.0.3.0")},
        "resource.update.PipelineRun": {("unmapped",)},
    }


def test_records_of_a_kafka_sink_become_what_the_same_messages_over_http_become():
    fates = {}
    for file in sorted(KAFKA_RECORDS.glob("knative-apiserversource.*.json")):
        record = json.loads(file.read_text())
        headers = [(name, value.encode()) for name, value in record["headers"]]
        event = read_record(headers, record["value"].encode())
        fates.setdefault(event.attributes["kind"], set()).add(Played().take(event).fate)
    assert fates == {"Application": {"mapped"}, "Pod": {"unmapped"}}  # the Pod is a reference


def test_a_stateful_set_that_is_first_met_complete_is_not_counted():
    told = workload("StatefulSet", metadata__generation=7, status__observedGeneration=7)
    (fate,) = play([message(told)]).fates
    assert (fate.fate, fate.reason) == ("ignored", BEGINNING_UNKNOWN)


def test_a_deployment_that_is_first_met_complete_counts_at_its_own_time():
    told = workload("Deployment", metadata__annotations={"deployment.kubernetes.io/revision": "7"})
    played = play([message(told)])
    ((deploy_id, (kind, *_, at)),) = played.effective.items()
    assert (deploy_id.rpartition(":")[2], kind, at) == ("7", "upgraded", "2026-11-23T07:40:48+00:00")


def test_a_removal_is_placed_at_the_deletion_timestamp():
    told = workload("Deployment", metadata__deletionTimestamp="2026-11-23T07:50:00Z")
    played = play([message(told, verb="delete"), message(told, verb="delete", id="2")])
    assert [fate.fate for fate in played.fates] == ["mapped", "ignored"]
    (removed,) = played.cdevents
    assert removed.timestamp == "2026-11-23T07:50:00Z"
    assert "deploy_id" not in removed.dora


def test_a_removal_does_not_place_a_rollout():
    """The message of a removal has no time of the rollout, which a StatefulSet does not tell either."""
    played = play([message(workload("StatefulSet"), verb="delete")])
    assert [cdevent.type for cdevent in played.cdevents] == ["dev.cdevents.service.removed.0.3.0"]


def test_a_cluster_can_be_told_apart_by_an_extension():
    told = message(workload("Deployment"), environment="eu-production")
    ((_, (_, service, environment, _)),) = play([told]).effective.items()
    assert (service, environment) == ("checkout", "eu-production")


def test_an_image_that_is_none_still_makes_a_valid_cdevent():
    told = workload("Deployment")
    told["spec"]["template"]["spec"]["containers"][0]["image"] = "not an image"
    (cdevent,) = play([message(told)]).cdevents
    assert cdevent.document["subject"]["content"]["artifactId"].startswith("pkg:generic/staging/checkout@")
    assert "artifact" not in cdevent.dora


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "9" * 400, "\x00", "2026-13-45T99:99:99Z", "Deployment", "ünï", "a" * 5000]),
    st.builds(list),
    st.builds(dict),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


WHOLE = [
    workload("Deployment"),
    workload("StatefulSet"),
    workload("DaemonSet"),
    next(event.data for event in requests("events") if "from 0 to" in event.data["message"]),
]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A real object with junk in some places, or without them."""
    made = json.loads(json.dumps(draw(st.sampled_from(WHOLE))))
    for _ in range(draw(st.integers(1, 4))):
        paths = places(made)
        if not paths:
            break
        *parents, last = draw(st.sampled_from(paths))
        part = made
        for parent in parents:
            part = part[parent]
        if draw(st.booleans()):
            part[last] = draw(JUNK)
        else:
            del part[last]
    return made


@given(st.lists(spoilt(), min_size=1, max_size=3), st.sampled_from(["add", "update", "delete"]))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_no_payload_raises(payloads: list[Any], verb: str):
    played = Played()
    for number, payload in enumerate(payloads):
        try:
            event = message(payload, verb=verb, id=str(number))
        except (ValueError, TypeError):
            continue
        fate = played.take(event)
        # "dead" would be a CDEvent that breaks the schemas.
        assert fate.fate in {"mapped", "ignored", "unmapped"}
        assert (fate.fate == "mapped") == bool(fate.cdevents)
        assert fate.fate == "mapped" or fate.reason
        assert len(fate.reason or "") < 200


@given(JUNK | st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_data_at_all_raises(data: Any):
    outcome = transform(message(data))
    assert isinstance(outcome, Ignored | Unmapped)


def test_a_fold_without_any_time_tells_nothing_and_does_not_raise():
    event = message(workload("StatefulSet"))
    outcome = transform(CloudEvent({**event.attributes, "time": "no time"}, event.body))
    assert isinstance(outcome, Observed)
    assert source.fold is not None
    _, settled = source.fold(None, outcome, EMPTY)
    assert not isinstance(settled, Mapped)

"""Kubernetes, as Knative's ApiServerSource and Kubewatch tell of it: apps/v1 workloads, and Events.

An object is told of many times, in any order and repeatedly, so this source is stateful: a handler says what
one message shows, ``fold`` what that changes. What counts and why: docs/sources/kubernetes.md. Of Argo CD's
Applications the messages are the same, and what they mean is said by ``streams.argocd``.
Messages: knative.dev/eventing, pkg/adapter/apiserver; robusta-dev/kubewatch, pkg/handlers/cloudevent.
Objects: the Kubernetes API reference.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.argocd.application import look_at_application
from streams.argocd.reports import fold_application
from streams.fields import Fields
from streams.kubernetes.objects import Facts, Known, State, grow, span_of
from streams.kubernetes.reports import Reports
from streams.kubernetes.rollouts import rollout_of
from streams.kubernetes.workloads import Look, look_at_daemon_set, look_at_deployment, look_at_stateful_set
from streams.outcome import Ignored, Mapped, Observed, Outcome, Settled, Unmapped
from streams.source import Source

KUBEWATCH = "KUBERNETES_TOPOLOGY_CHANGE"

source = Source("kubernetes", types=(KUBEWATCH,), prefixes=("dev.knative.apiserver.",))

LOOKS: Mapping[str, Callable[[Mapping[str, Any]], Look]] = {
    "Deployment": look_at_deployment,
    "StatefulSet": look_at_stateful_set,
    "DaemonSet": look_at_daemon_set,
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,252}", re.ASCII)
SCALED_UP = re.compile(
    r"(?P<combined>\(combined from similar events\): )?Scaled up replica set (?P<name>[a-z0-9.-]{1,253})"
    r"(?: from (?P<before>\d{1,9}))? to (?P<after>\d{1,9})",
    re.ASCII,
)

IN_REFERENCE_MODE = (
    "the ApiServerSource is in Reference mode and sends no objects: set `mode: Resource` in its spec"
)
# Why a look at an object changed nothing, by its phase.
REASONS = {
    "unobserved": "the controller has not acted on this change yet; a later update tells of it",
    "paused": "the Deployment is paused: its changes are not rolled out",
    "terminating": "the object is being deleted",
    "waiting": "the controller has not given this rollout a revision yet; a later update tells of it",
    "progressing": "the rollout is not complete yet; a later update tells of it",
    "failed": "the rollout failed: it was not complete before its progress deadline",
}
SCALING = "no new rollout: the workload is scaling, or pods of it are being replaced"
UNCHANGED = "no new rollout: scale, labels or status changed after one that is known to be complete"
SAME_TEMPLATE = "no new rollout: a restart or a change of scale, with the template that was running before"
BEGINNING_UNKNOWN = "first met complete, and nothing tells since when: not known to be a rollout"
CONTRADICTED = "other updates of this object show another template under the same number"
FORGOTTEN = "older than the rollouts that are remembered of this object"
TOLD_BEFORE = "told of before"


@source.on("ref")
def reference(event: CloudEvent, catalog: Catalog) -> Outcome:  # noqa: ARG001
    """Say what to change: a reference names an object and shows nothing of it."""
    return Unmapped(IN_REFERENCE_MODE)


@source.on("resource.add", "resource.update", "resource.delete")
def resource(event: CloudEvent, catalog: Catalog) -> Outcome:
    """Tell what a message in Resource mode shows: one version of one object."""
    told = event.data
    return _object(event, told, told, catalog, deleted=event.type.endswith(".delete"))


@source.on(KUBEWATCH)
def topology(event: CloudEvent, catalog: Catalog) -> Outcome:
    """Tell what a message of Kubewatch shows: one version of one object; the one before was told of."""
    told = event.data
    if told["obj"] is None:
        return Unmapped("Kubewatch sent no object with this event; a newer version does")
    return _object(event, told, told["obj"], catalog, deleted=told["operation"] == "delete")


def _object(event: CloudEvent, type_: Facts, told: Facts, catalog: Catalog, *, deleted: bool) -> Outcome:
    """Tell what an object shows; ``type_`` holds its kind and apiVersion."""
    kind, group = _shown(type_["kind"]), _shown(type_.get("apiVersion") or "").rpartition("/")[0]
    if kind == "Event":
        return Ignored("an Event object expired") if deleted else _event_object(event, told)
    if kind in LOOKS and group == "apps":
        return _workload(event, told, LOOKS[kind](told), deleted=deleted)
    if kind == "Application" and group == "argoproj.io":
        return look_at_application(event, Fields(told), catalog, deleted=deleted)
    if kind in ("Pod", "ReplicaSet"):
        return Ignored(f"a {kind} is part of a rollout; the object that owns it tells of that")
    return Unmapped(f"kubernetes: no rule for {kind} objects of API group {group or 'core'}")


@source.folds
def fold(state: State | None, observation: Observed, catalog: Catalog) -> tuple[State, Settled]:
    """Add one observation to what is known of its object, and report what that changes.

    ``state`` itself comes back when nothing changed. ``facts["time"]`` is the message's time; the caller puts
    the broker's in place of ``None``, or a StatefulSet's rollout has no time to be placed at.
    """
    if observation.facts["of"] == "application":
        return fold_application(state, observation)
    before = Known.of(state)
    after = grow(before, observation.facts)
    if state is not None and after == before:
        return state, Ignored(_why_nothing(observation.facts, after))
    drafts = tuple(Reports(observation.key, observation.facts, catalog, before, after).drafts())
    settled = Mapped(*drafts) if drafts else Ignored(_why_nothing(observation.facts, after))
    return after.to_json(), settled


def _workload(event: CloudEvent, workload: Facts, look: Look, *, deleted: bool) -> Outcome:
    metadata = workload["metadata"]
    facts = {
        **_common(event, "object", metadata),
        "phase": look.phase,
        "sequence": look.sequence,
        "digest": look.digest,
        "certain": look.certain,
        "started": look.started,
        "ready": look.ready,
        "artifacts": list(look.artifacts),
        "deleted": deleted,
        "deleted_at": metadata.get("deletionTimestamp") if deleted else None,
    }
    return Observed(_name(metadata["uid"]), facts)


def _event_object(event: CloudEvent, told: Facts) -> Outcome:
    # events.k8s.io/v1 calls the same fields regarding and note.
    about = told.get("involvedObject") or told["regarding"]
    kind = _shown(about["kind"])
    if kind in ("StatefulSet", "DaemonSet"):
        return Ignored(f"Event objects do not tell of a {kind}'s rollouts; watch the objects themselves")
    if kind != "Deployment":
        return Ignored(f"an Event about a {kind} tells of no rollout")
    if told.get("reason") != "ScalingReplicaSet":
        why = _shown(told.get("reason") or "unexplained")
        return Ignored(f"a {why} Event about a Deployment tells of no new ReplicaSet")
    scaled = SCALED_UP.fullmatch(told.get("message") or told["note"])
    if scaled is None or int(scaled["before"] or 0) > 0 or int(scaled["after"]) == 0:
        return Ignored("a ReplicaSet was scaled, but not up from zero, as a rollout begins")
    facts = {
        **_common(event, "event", about),
        "replica_set": scaled["name"],
        "told_at": _told_at(told, combined=scaled["combined"] is not None),
    }
    return Observed(_name(about["uid"]), facts)


def _common(event: CloudEvent, of: str, about: Facts) -> dict[str, Any]:
    namespace = _name(about["namespace"])
    return {
        "of": of,
        "namespace": namespace,
        "name": _name(about["name"]),
        # Clusters look alike to their own ApiServerSource; its ceOverrides can say which one this is.
        "environment": _name(event.attributes.get("environment", namespace)),
        "source": event.source,
        "time": event.time,
    }


def _told_at(told: Facts, *, combined: bool) -> Any:
    """When the ReplicaSet was scaled up. One Event object tells of all repetitions, and of similar Events."""
    first = told.get("firstTimestamp") or told.get("deprecatedFirstTimestamp")
    last = told.get("lastTimestamp") or told.get("deprecatedLastTimestamp")
    return (last if combined else first) or told.get("eventTime")


def _why_nothing(facts: Facts, known: Known) -> str:
    if facts["of"] == "event" or facts["deleted"]:
        return TOLD_BEFORE
    sequence, phase = facts["sequence"], facts["phase"]
    if sequence is None or phase in ("failed", "unobserved", "terminating"):
        return REASONS[phase]
    if not known.remembers(sequence):
        return FORGOTTEN
    found = rollout_of(known.spans, span_of(facts, None), forgotten=known.forgotten)
    if found is None:
        return CONTRADICTED
    first, counted = found
    if counted and sequence > first:
        return SAME_TEMPLATE
    if phase == "progressing":
        return SCALING if counted else REASONS[phase]
    return UNCHANGED if counted else BEGINNING_UNKNOWN


def _name(value: Any) -> str:
    if not isinstance(value, str) or NAME.fullmatch(value) is None:
        raise ValueError("not the name of a Kubernetes object")
    return value


def _shown(value: Any) -> str:
    """Text of the message that goes into a reason or is compared; others choose how long it is."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return value[:63]

"""Reading apps/v1 objects: whether a rollout is complete, and which template it is of. Pure.

Complete means what ``kubectl rollout status`` means by it (kubectl/pkg/polymorphichelpers/rollout_status.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import orjson

from schemas.instant import format_instant, parse_instant
from schemas.purl import container_image

REVISION = "deployment.kubernetes.io/revision"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"

# A pod has a handful of containers; whoever sends objects does not decide how much of them is remembered.
MOST_IMAGES = 8
LARGEST_SEQUENCE = 2**53 - 1

Json = Mapping[str, Any]
Phase = Literal["unobserved", "paused", "terminating", "waiting", "progressing", "failed", "complete"]


@dataclass(frozen=True, slots=True)
class Look:
    """What one version of an object says of its rollout.

    ``sequence`` is ``None`` while the object shows a template whose number is not known. ``certain``,
    ``started`` and ``ready`` are those of ``streams.kubernetes.rollouts.Span``.
    """

    phase: Phase
    sequence: int | None = None
    digest: str = ""
    certain: bool = True
    started: bool = False
    ready: str | None = None
    artifacts: tuple[str, ...] = ()


def look_at_deployment(workload: Json) -> Look:
    """Read a Deployment. Its number is the revision, which the controller counts up with every rollout.

    The revision belongs to the template that is shown only when the controller has acted on the last change;
    it leaves both apart while the Deployment is paused, and for a moment when a change brings a new template
    and another scale. Then no pod of the template exists yet, and the pair is uncertain.
    """
    spec, status = workload["spec"], workload.get("status") or {}
    revision = (workload["metadata"].get("annotations") or {}).get(REVISION)
    if workload["metadata"].get("deletionTimestamp"):
        return Look("terminating")
    if spec.get("paused") is True:
        return Look("paused")
    if not _acted_on(workload):
        return Look("unobserved")
    if revision is None:
        return Look("waiting")
    progress = _condition(status, "Progressing")
    complete = _deployment_is_complete(spec, status) and progress.get("reason") != "ProgressDeadlineExceeded"
    failed = progress.get("reason") == "ProgressDeadlineExceeded"
    updated = _count(status, "updatedReplicas")
    return Look(
        phase="complete" if complete else "failed" if failed else "progressing",
        sequence=_sequence(int(revision)),
        digest=_digest(spec["template"]),
        certain=complete or updated > 0,
        started=0 < updated < _count(status, "replicas"),
        ready=_ready_at(spec, status) if complete else None,
        artifacts=_artifacts(spec["template"]),
    )


def look_at_stateful_set(workload: Json) -> Look:
    """Read a StatefulSet. Its number is the generation: it tells no revision by number, and no time."""
    spec, status = workload["spec"], workload.get("status") or {}
    rolling = status.get("currentRevision") != status.get("updateRevision")
    acted_on = _acted_on(workload)
    return _look_by_generation(
        workload,
        complete=acted_on and _stateful_set_is_complete(spec, status, rolling=rolling),
        started=acted_on and rolling and bool(status.get("currentRevision")),
    )


def look_at_daemon_set(workload: Json) -> Look:
    """Read a DaemonSet. Its number is the generation, as of a StatefulSet.

    Pods are missing also when a node joins, so that only a change that was met before the controller acted on
    it shows the beginning of a rollout.
    """
    status, acted_on = workload.get("status") or {}, _acted_on(workload)
    desired = _count(status, "desiredNumberScheduled")
    complete = (
        acted_on
        and _count(status, "updatedNumberScheduled") >= desired
        and _count(status, "numberAvailable") >= desired
    )
    return _look_by_generation(workload, complete=complete, started=not acted_on)


def _look_by_generation(workload: Json, *, complete: bool, started: bool) -> Look:
    template = workload["spec"]["template"]
    return Look(
        phase=_phase_by_generation(workload, complete=complete),
        sequence=_sequence(workload["metadata"]["generation"]),
        digest=_digest(template),
        started=started,
        artifacts=_artifacts(template),
    )


def _phase_by_generation(workload: Json, *, complete: bool) -> Phase:
    if workload["metadata"].get("deletionTimestamp"):
        return "terminating"
    if complete:
        return "complete"
    return "progressing" if _acted_on(workload) else "unobserved"


def _acted_on(workload: Json) -> bool:
    """Whether the controller has acted on the last change of the specification."""
    observed: int = _count(workload.get("status") or {}, "observedGeneration")
    return 0 < _sequence(workload["metadata"]["generation"]) <= observed


def _deployment_is_complete(spec: Json, status: Json) -> bool:
    updated = _count(status, "updatedReplicas")
    return (
        updated >= _count(spec, "replicas")
        and _count(status, "replicas") <= updated
        and _count(status, "availableReplicas") >= updated
    )


def _stateful_set_is_complete(spec: Json, status: Json, *, rolling: bool) -> bool:
    replicas, updated = _count(spec, "replicas"), _count(status, "updatedReplicas")
    strategy = spec.get("updateStrategy") or {}
    held_back = _count(strategy.get("rollingUpdate") or {}, "partition")
    if _count(status, "readyReplicas") < replicas or updated < replicas - held_back:
        return False
    # With a partition, or with pods replaced by hand, the current revision stays what it was.
    return held_back > 0 or strategy.get("type") == "OnDelete" or not rolling


def _ready_at(spec: Json, status: Json) -> str | None:
    """When the rollout of a complete Deployment was complete, by its own conditions."""
    progress = _condition(status, "Progressing")
    if progress.get("reason") != "NewReplicaSetAvailable":
        return None
    times = [progress["lastUpdateTime"]]
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        # Going back to an old ReplicaSet passes through "no pods at all", which the controller takes for
        # complete, so that Progressing keeps the time of the rollout before; only Available then moves.
        times.append(_condition(status, "Available")["lastTransitionTime"])
    return format_instant(max(map(parse_instant, times)))


def _condition(status: Json, kind: str) -> Json:
    for condition in status.get("conditions") or ():
        if condition["type"] == kind:
            found: Json = condition
            return found
    return {}


def _count(part: Json, name: str) -> int:
    value = part.get(name)
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(name)
    return value


def _sequence(number: Any) -> int:
    if not isinstance(number, int) or not 0 < number <= LARGEST_SEQUENCE:
        raise ValueError("not a revision or generation")
    return number


def _digest(template: Json) -> str:
    """Identify a template by what it makes pods of; a restart changes an annotation only."""
    metadata = dict(template.get("metadata") or {})
    annotations = dict(metadata.pop("annotations", None) or {})
    annotations.pop(RESTARTED_AT, None)
    metadata.pop("creationTimestamp", None)  # null, in what some versions of the API server send
    content = orjson.dumps([annotations, metadata, template["spec"]], option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=8).hexdigest()


def _artifacts(template: Json) -> tuple[str, ...]:
    images = [container["image"] for container in template["spec"]["containers"][:MOST_IMAGES]]
    purls = (container_image(image) for image in images)
    return tuple(purl for purl in purls if purl is not None)

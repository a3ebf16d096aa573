"""Rollouts as Knative's ApiServerSource in Resource mode tells of them: updates of one object. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from schemas.instant import format_instant

API_SERVER = "https://10.96.0.1:443"
REGISTRY = "registry.example/shop"
Told = tuple[dict[str, str], dict[str, Any]]


def rollout(service: str, revision: int, at: datetime, *, failed: bool) -> Iterator[Told]:
    """First in staging, half an hour later in production; a failed one never becomes ready there."""
    for namespace, delay, broken in (("staging", 0, False), ("production", 30, failed)):
        begun = at + timedelta(minutes=delay)
        ready = begun + timedelta(seconds=40)
        yield told(namespace, service, revision, begun, ready=None)
        if broken:
            yield told(namespace, service, revision, ready, ready=None)
        else:
            yield told(namespace, service, revision, ready, ready=ready)
            # A status update without any change, as every object sends many of.
            yield told(namespace, service, revision, ready + timedelta(seconds=20), ready=ready)


def artifact(service: str, revision: int) -> str:
    """The image of a rollout, as a package URL names it."""
    return f"pkg:oci/{service}?repository_url={REGISTRY}/{service}&tag=1.{revision}"


def told(namespace: str, name: str, revision: int, at: datetime, *, ready: datetime | None) -> Told:
    """One ``resource.update`` event with the whole object."""
    attributes = {
        "type": "dev.knative.apiserver.resource.update",
        "source": API_SERVER,
        "subject": f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
        "time": format_instant(at),
        "kind": "Deployment",
        "apiversion": "apps/v1",
        "name": name,
        "namespace": namespace,
    }
    return attributes, deployment(namespace, name, revision, at, ready=ready)


def deployment(
    namespace: str, name: str, revision: int, at: datetime, *, ready: datetime | None
) -> dict[str, Any]:
    """An apps/v1 Deployment in the middle of a rollout, or ``ready``."""
    updated = 3 if ready else 1
    image = f"{REGISTRY}/{name}:1.{revision}"
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": str(uuid5(NAMESPACE_URL, f"{namespace}/{name}")),
            "generation": revision,
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "labels": {"app.kubernetes.io/name": name},
        },
        "spec": {
            "replicas": 3,
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
        "status": {
            "observedGeneration": revision,
            "replicas": 3 if ready else 4,
            "updatedReplicas": updated,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "conditions": [progressing(at, ready)],
        },
    }


def progressing(at: datetime, ready: datetime | None) -> dict[str, str]:
    """The condition that says whether the rollout is complete, and since when."""
    reason = "NewReplicaSetAvailable" if ready else "ReplicaSetUpdated"
    return {
        "type": "Progressing",
        "status": "True",
        "reason": reason,
        "lastUpdateTime": format_instant((ready or at).replace(microsecond=0)),
    }

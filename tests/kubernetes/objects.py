"""Objects as a cluster would show them, made from the recorded ones."""

import copy
import json
from functools import cache
from typing import Any

from schemas.cloudevents.event import CloudEvent
from tests.kubernetes.recorded import requests


@cache
def _recorded(kind: str) -> dict[str, Any]:
    """The first recorded object of this kind whose first rollout is complete."""
    ready = {
        "Deployment": "availableReplicas",
        "StatefulSet": "readyReplicas",
        "DaemonSet": "observedGeneration",
    }
    for event in requests("deployments"):
        data = event.data
        if data["kind"] == kind and data["status"].get(ready[kind], 0) >= data["spec"].get("replicas", 1):
            found: dict[str, Any] = data
            return found
    raise AssertionError(kind)


def workload(kind: str, **changes: Any) -> dict[str, Any]:
    """A complete recorded object with fields replaced: ``spec__replicas=3``; ``None`` removes the field."""
    made = copy.deepcopy(_recorded(kind))
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = made
        for parent in parents:
            part = part.setdefault(parent, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return made


def message(data: Any, *, verb: str = "update", **attributes: str) -> CloudEvent:
    """``data`` as the ApiServerSource would send it in Resource mode."""
    told = {
        "specversion": "1.0",
        "id": "1",
        "source": "https://10.96.0.1:443",
        "type": f"dev.knative.apiserver.resource.{verb}",
        "time": "2026-11-23T08:00:00Z",
        "datacontenttype": "application/json",
    }
    return CloudEvent({**told, **attributes}, json.dumps(data).encode())

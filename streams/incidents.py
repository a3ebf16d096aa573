"""What an incident is about: service, environment and cause, by its labels and the catalog. Pure.

Which labels are read: docs/sources/incidents.md. Names of labels are compared in lower case and with
underscores for dots, dashes, slashes and spaces, because every pager has habits of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.catalog import Catalog
from schemas.patterns import is_pattern
from streams.texts import optional_name

SERVICES = ("service", "service_name", "app_kubernetes_io_name", "app", "application")
WORKLOADS = ("deployment", "statefulset", "daemonset", "workload")
ENVIRONMENTS = ("environment", "env", "deployment_environment", "deployment_environment_name")
# A metric that is scraped from one namespace about another has that one's name as exported_namespace.
NAMESPACES = ("exported_namespace", "namespace", "kubernetes_namespace")
CAUSES = {
    "deploy_id": ("deploy_id", "deployment_id"),
    "commit": ("commit", "commit_sha", "git_commit", "revision"),
    "artifact": ("artifact",),
    "repository": ("repository",),
}
HASH = re.compile(r"[0-9a-f]{7,64}", re.ASCII)

# The label `service` of its metrics is its own, not that of what they are about.
METRICS_EXPORTER = "kube-state-metrics"

# Where an incident is that says nothing of it: nobody is paged for another environment.
PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident is, by our names; ``service`` is ``None`` when nothing says whose it is."""

    service: str | None
    environment: str


def labels_of(told: Any) -> dict[str, str]:
    """Labels by their comparable names; what is no text names nothing."""
    pairs = told.items() if isinstance(told, Mapping) else ()
    texts = ((_comparable(key), value) for key, value in pairs if isinstance(value, str) and value.strip())
    return {key: value.strip() for key, value in texts}


def place_of(labels: Mapping[str, str], catalog: Catalog, *, called: str | None = None) -> Place:
    """Where the incident is. The catalog has ``called``, the pager's name of a service, as an application."""
    namespace = _first(labels, NAMESPACES)
    service, declared = _service(labels, catalog, namespace, called)
    native = _first(labels, ENVIRONMENTS) or (None if declared else namespace)
    if native is not None:
        return Place(service, catalog.environment(native, service=service))
    return Place(service, declared or production_of(catalog))


def causes_of(labels: Mapping[str, str]) -> dict[str, str]:
    """What the labels say has caused the incident: a deployment, a commit, an artifact; nothing, mostly."""
    told = {key: _first(labels, names) for key, names in CAUSES.items()}
    found = {key: value for key, value in told.items() if value is not None}
    if not HASH.fullmatch(found.get("commit", "")):
        found.pop("commit", None)  # a revision may be a branch as well
    return found


def production_of(catalog: Catalog) -> str:
    """The catalog's production environment: of several, the first that it names in full."""
    named = (name for name in catalog.production_environments if not is_pattern(name))
    return next(named, PRODUCTION)


def _service(
    labels: Mapping[str, str], catalog: Catalog, namespace: str | None, called: str | None
) -> tuple[str | None, str | None]:
    """Name the service, and the environment that the catalog gives it under that name."""
    workload = _workload(labels)
    if workload is not None:
        declared = catalog.environment_of("workload", workload, namespace=namespace)
        return catalog.service("workload", workload, namespace=namespace), declared
    if called is not None:
        return catalog.service("application", called), catalog.environment_of("application", called)
    return None, None


def _workload(labels: Mapping[str, str]) -> str | None:
    service, workload = _first(labels, SERVICES), _first(labels, WORKLOADS)
    exported = METRICS_EXPORTER in (labels.get("job") or "") or METRICS_EXPORTER in (service or "")
    return workload if workload is not None and exported else service or workload


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((optional_name(labels[name], f"labels.{name}") for name in names if name in labels), None)


def _comparable(name: str) -> str:
    return re.sub(r"[.\-/ ]", "_", name).lower()

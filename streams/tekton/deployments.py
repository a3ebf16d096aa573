"""Whether a run of Tekton deploys a service, and what became of that. Pure.

A pipeline may do anything, so nothing is guessed: a run deploys when it is marked so, when the catalog gives
its pipeline an environment, or when it is annotated for the experimental CloudEvents controller. What the
marks are called: docs/sources/tekton.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas import purl
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    deployment_failed,
    service_deployed,
    service_removed,
    service_rolledback,
    service_upgraded,
)
from streams.shapes import Unfit
from streams.tekton.artifacts import image, image_of
from streams.tekton.runs import Run, text_of
from streams.texts import optional_name

SERVICE, ENVIRONMENT, ARTIFACT = "dora.dev/deploys-service", "dora.dev/environment", "dora.dev/artifact"
KIND, HOTFIX = "dora.dev/deploys-as", "dora.dev/hotfix"
KINDS = ("deployed", "upgraded", "rolledback", "removed")
SUCCEEDED = {
    "deployed": service_deployed,
    "upgraded": service_upgraded,
    "rolledback": service_rolledback,
}
LONGEST_ARTIFACT = 1024  # characters; what is longer could not be indexed


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a run deploys and where, by our names.

    ``basis`` is what says so. ``version`` names the artifact when nothing better does.
    """

    kind: str
    service: str
    environment: str
    basis: str
    version: str | None = None


def target_of(run: Run, catalog: Catalog) -> Target | None:
    """What the run deploys; ``None`` when nothing says that it deploys."""
    if run.kind == "customrun" or (run.kind == "taskrun" and _is_part(run)):
        return None  # Tekton copies labels and annotations to the parts of a pipeline's run
    return _marked(run, catalog) or _listed(run, catalog) or _annotated(run, catalog)


def deployment(run: Run, target: Target, known: dict[str, Any]) -> Iterator[Draft]:
    """What became of the deployment that a run was which has ended; ``known`` is told with it."""
    told = {
        **known,
        "source": run.source,
        "at": run.completed,
        "service": target.service,
        "environment": target.environment,
        "basis": target.basis,
        "hotfix": run.mark(HOTFIX) == "true" or None,
        "fact": run.fact("deployment"),
    }
    if target.kind == "removed":
        if run.outcome == "success":
            yield service_removed(**told)
        return
    told["deploy_id"] = run.parent or run.uid
    if run.outcome == "success":
        yield SUCCEEDED[target.kind](**told, artifact=_artifact(run, target, known["commit"]))
    else:
        yield deployment_failed(**told, artifact=image_of(run), reason=run.errors or "the run failed")


def _is_part(run: Run) -> bool:
    labels = ("tekton.dev/pipelineRun", "tekton.dev/pipelineTask")
    return run.parent is not None or any(run.mark(label) for label in labels)


def _marked(run: Run, catalog: Catalog) -> Target | None:
    told = run.mark(SERVICE)
    if told is None:
        return None
    service = catalog.service("workload", told)
    given = text_of(run.params.get("environment"))
    native = run.mark(ENVIRONMENT) or optional_name(given, "params.environment")
    declared = None if native else _declared(run, catalog)
    environment = declared or catalog.environment(native or run.namespace, service=service)
    return Target(kind=_kind(run), service=service, environment=environment, basis=SERVICE)


def _listed(run: Run, catalog: Catalog) -> Target | None:
    declared = _declared(run, catalog)
    if declared is None or run.of is None:
        return None
    service = catalog.service("pipeline", run.of, namespace=run.namespace)
    return Target(kind=_kind(run), service=service, environment=declared, basis="catalog")


def _annotated(run: Run, catalog: Catalog) -> Target | None:
    kind = next((kind for kind in KINDS if f"cd.service.{kind}" in run.marks), None)
    service, environment = _result(run, "name"), _result(run, "envId")
    if kind is None or service is None or environment is None:
        return None
    ours = catalog.service("workload", service)
    return Target(
        kind=kind,
        service=ours,
        environment=catalog.environment(environment, service=ours),
        basis=f"cd.service.{kind}",
        version=_result(run, "version"),
    )


def _declared(run: Run, catalog: Catalog) -> str | None:
    return None if run.of is None else catalog.environment_of("pipeline", run.of, namespace=run.namespace)


def _kind(run: Run) -> str:
    kind = run.mark(KIND) or "deployed"
    if kind not in KINDS:
        raise Unfit(f"{KIND} is none of {', '.join(KINDS)}")
    return kind


def _result(run: Run, of: str) -> str | None:
    """Read what the experimental controller reads: a result, whose name an annotation may give."""
    called = run.mark(f"cd.events/results.service.{of.lower()}") or f"cd.service.{of}"
    return optional_name(text_of(run.results.get(called)), f"results.{called}")


def _artifact(run: Run, target: Target, commit: str | None) -> str:
    marked = run.mark(ARTIFACT)
    if marked is not None and image(marked) is None:
        raise Unfit(f"{ARTIFACT} is neither an image reference nor a purl")
    version = target.version or commit or run.uid
    found = image(marked) if marked else image_of(run)
    # A version that has a path is the reference of an image.
    found = found or (image(version) if "/" in version else None)
    artifact = found or purl.generic(run.namespace, target.service, version)
    if len(artifact) > LONGEST_ARTIFACT:
        raise Unfit(f"the names of service and version are too long; set {ARTIFACT}")
    return artifact

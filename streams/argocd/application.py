"""What one message shows of an Application: its last sync, its health, or that it is gone. Pure.

Spec: argoproj/argo-cd, pkg/apis/application/v1alpha1. After one sync an Application is told of many times, so
this says what is seen, as JSON, and ``reports`` what of it is news.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from schemas import purl
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_text, parse_instant
from streams.argocd.health import BAD, GOOD
from streams.argocd.syncs import SUCCEEDED, Sync, sync_of
from streams.fields import Fields
from streams.outcome import Ignored, Observed, Outcome
from streams.shapes import Unfit

API = "/apis/argoproj.io/v1alpha1"
LONGEST_UID = 200  # characters; ids of deployments are made of it
MOST_IMAGES = 20
DESTINATION = ("spec.destination.namespace", "spec.destination.name", "spec.destination.server")

# A rollout that gets nowhere is Degraded after its progress deadline, ten minutes unless it is set. What
# becomes so later than this was healthy in between.
DEADLINE = timedelta(hours=1)

# Why a sync that succeeded is no deployment yet, by the health beside it.
NOT_YET = {
    "Progressing": "synced, and not healthy yet; a later message tells how it ends",
    "Suspended": "synced, and suspended until somebody lets it go on",
    "Missing": "synced, and some of its resources are not there yet",
    BAD: "synced, and Degraded since before that",
}


def look_at_application(event: CloudEvent, told: Fields, catalog: Catalog, *, deleted: bool) -> Outcome:
    """Tell what ``told``, an Application, shows; ``deleted`` when the message says that it is gone."""
    facts = {"of": "application", **_place(told, catalog)}
    uid = told.optional("metadata.uid") or f"{event.source} {facts['source']}"
    if len(uid) > LONGEST_UID:
        raise Unfit("'metadata.uid' is too long")
    marked = told.find("metadata.deletionTimestamp") is not None
    if deleted or marked:
        removed = told.instant("metadata.deletionTimestamp") if marked else instant_text(event.time)
        return Observed(uid, {**facts, "removed": removed})
    health, since = told.optional("status.health.status") or "Unknown", None
    if health in (BAD, GOOD):
        since = told.optional_instant("status.health.lastTransitionTime")
        facts |= {"health": health, "since": since, "message": told.words("status.health.message")}
    sync = sync_of(told)
    if isinstance(sync, Ignored):
        return _no_deployment(uid, facts, sync)
    deployed = _deployed(told, uid, sync, health, since)
    if isinstance(deployed, Ignored):
        return _no_deployment(uid, facts, deployed)
    code = _code(sync, facts["service"], catalog)
    return Observed(uid, {**facts, "deployment": {**deployed, **code}})


def _no_deployment(uid: str, facts: dict[str, Any], why: Ignored) -> Outcome:
    """Of an Application that has not deployed anything, the health may be news."""
    return why if facts.get("since") is None else Observed(uid, {**facts, "otherwise": why.reason})


def _place(told: Fields, catalog: Catalog) -> dict[str, Any]:
    name, namespace = told.text("metadata.name"), told.optional("metadata.namespace")
    service = catalog.service("application", name, namespace=namespace)
    environment = catalog.environment_of("application", name, namespace=namespace)
    if environment is None:
        natives = (told.optional(path) for path in DESTINATION)
        native = next(filter(None, natives), None) or told.text(DESTINATION[0])
        environment = catalog.environment(native, service=service)
    parts = (API, "namespaces", quote(namespace or "argocd", safe=""), "applications", quote(name, safe=""))
    return {"source": "/".join(parts), "service": service, "environment": environment}


def _deployed(told: Fields, uid: str, sync: Sync, health: str, since: str | None) -> dict[str, Any] | Ignored:
    """The deployment that a sync is, and what became of it."""
    reason, lasted = None, _between(sync.finished, since)
    if sync.phase != SUCCEEDED:
        kind, reason = "failed", sync.message or f"the sync ended with {sync.phase}"
    elif health == GOOD or (health == BAD and lasted > DEADLINE):
        kind = "rolledback" if sync.back else "deployed"
    elif health == BAD and lasted >= timedelta(0):
        kind, reason = "degraded", "synced, and the application became Degraded"
    else:
        return Ignored(NOT_YET.get(health, f"synced, and its health is {health}"))
    images = _images(told)
    return {
        "kind": kind,
        "reason": reason,
        "at": since if kind == "degraded" else sync.finished,
        "deploy_id": f"argocd:{uid}:{sync.revisions.version}:{sync.since}",
        "artifact": images[0] if len(images) == 1 else _artifact(told, sync),
        "images": images if len(images) > 1 else None,
    }


def _code(sync: Sync, service: str, catalog: Catalog) -> dict[str, str | None]:
    """The commit that was deployed, of the first source in Git.

    Where the catalog lists the repositories of a service, the commits of others are of its manifests; what
    its image was built from says more than they do.
    """
    any_repository = not catalog.lists("repository", service)
    for revision in sync.revisions.each:
        place = revision.repository
        own = any_repository or place is None or catalog.service("repository", place) == service
        if own and revision.commit is not None:
            return {"commit": revision.commit, "repository": place}
    return {"commit": None, "repository": None}


def _between(finished: str, since: str | None) -> timedelta:
    return timedelta(-1) if since is None else parse_instant(since) - parse_instant(finished)


def _artifact(told: Fields, sync: Sync) -> str:
    unnamed = purl.generic(
        told.optional("metadata.namespace") or "argocd", told.text("metadata.name"), sync.revisions.version
    )
    return sync.revisions.artifact or unnamed


def _images(told: Fields) -> list[str]:
    """What runs, as purls; while one version replaces another, both."""
    listed = told.find("status.summary.images")
    images = listed[:MOST_IMAGES] if isinstance(listed, list) else []
    purls = [purl.container_image(image) for image in images if isinstance(image, str)]
    return list(dict.fromkeys(each for each in purls if each is not None))

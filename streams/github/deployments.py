"""Deployments, of which GitHub tells by their statuses.

Whoever makes a deployment may give it a payload of any form. Of that, ``service`` (where a repository holds
several), ``artifact`` (a purl or an image reference), ``image``, ``rollback`` and ``hotfix`` are understood.
"""

from typing import Any

from schemas import purl
from schemas.catalog import Catalog
from streams.fields import Fields
from streams.github.repository import Repository
from streams.marks import is_hotfix


def deployment(told: Fields, repository: Repository, catalog: Catalog) -> dict[str, Any]:
    """What a deployment is, however it ended. Its status may name another environment than it began with."""
    commit = told.text("deployment.sha")
    service = told.optional("deployment.payload.service") or repository.service
    native = told.optional("deployment_status.environment") or told.text("deployment.environment")
    hotfix = told.flag("deployment.payload.hotfix") or is_hotfix(told.optional("deployment.ref"))
    return {
        "source": repository.url,
        "at": told.instant("deployment_status.created_at"),
        "deploy_id": repository.deploy_id(str(told.number("deployment.id"))),
        "service": service,
        "environment": catalog.environment(native, service=service),
        "repository": repository.name,
        "commit": commit,
        "artifact": _artifact(told) or purl.github(repository.name, commit),
        "hotfix": hotfix or None,
        "basis": "deployment_status",
        "channel": "github",
    }


def _artifact(told: Fields) -> str | None:
    artifact, image = told.optional("deployment.payload.artifact"), told.optional("deployment.payload.image")
    if artifact is not None and artifact.startswith("pkg:"):
        return artifact
    reference = image or artifact
    return None if reference is None else purl.container_image(reference)

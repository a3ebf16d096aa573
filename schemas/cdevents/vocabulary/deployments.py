"""Deployments: ``service.*`` and what the official vocabulary lacks, ``dora-deployment.*``.

The subject is the service. ``at`` is when the deployment was complete, RFC 3339 text; ``artifact`` a purl.
"""

from collections.abc import Mapping
from typing import Any, Required, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft, reference


class Known(Told, total=False):
    """What may be known of a deployment."""

    repository: str | None
    commit: str | None


class Deployed(Known, total=False):
    """What must be known of a deployment that succeeded."""

    deploy_id: Required[str]
    service: Required[str]
    environment: Required[str]
    artifact: Required[str]


def service_deployed(*, source: str, at: str, **deployed: Unpack[Deployed]) -> Draft:
    """A service runs in an environment where it did not run before, or nothing is known of before."""
    return _deployment("service.deployed", source, at, deployed)


def service_upgraded(*, source: str, at: str, **deployed: Unpack[Deployed]) -> Draft:
    """A service runs in a new version where it ran before."""
    return _deployment("service.upgraded", source, at, deployed)


def service_rolledback(*, source: str, at: str, **deployed: Unpack[Deployed]) -> Draft:
    """A service runs in a version again that it ran in before; ``artifact`` is that version."""
    return _deployment("service.rolledback", source, at, deployed)


def service_removed(*, source: str, at: str, service: str, environment: str, **known: Unpack[Known]) -> Draft:
    """A service no longer runs in an environment. That is no deployment and has no ``deploy_id``."""
    facts = {"service": service, "environment": environment, **known}
    return _deployment("service.removed", source, at, facts)


def deployment_failed(
    *,
    source: str,
    at: str,
    deploy_id: str,
    service: str,
    environment: str,
    reason: str,
    artifact: str | None = None,
    **known: Unpack[Known],
) -> Draft:
    """A deployment did not reach its environment. ``reason`` is what the source says, never empty."""
    facts = {"deploy_id": deploy_id, "service": service, "environment": environment, "artifact": artifact}
    return _deployment("dora-deployment.failed", source, at, {**facts, "reason": reason, **known})


def deployment_withdrawn(
    *,
    source: str,
    at: str,
    deploy_id: str,
    service: str,
    environment: str,
    reason: str,
    **known: Unpack[Known],
) -> Draft:
    """A deployment that was told of turned out not to be one. ``reason`` is for people to read."""
    facts = {"deploy_id": deploy_id, "service": service, "environment": environment, "reason": reason}
    return _deployment("dora-deployment.withdrawn", source, at, {**facts, **known})


def _deployment(name: str, source: str, at: str, facts: Mapping[str, Any]) -> Draft:
    content = {
        "environment": reference(facts["environment"]),
        "artifactId": facts.get("artifact"),
        "reason": facts.get("reason"),
    }
    return draft(name, source=source, at=at, subject_id=facts["service"], content=content, dora=facts)

"""Reports of deployments, incidents and changes that people and CI jobs send themselves (docs/reporting.md).

They come over ``POST /webhooks/generic``, or from ``dora report`` as CloudEvents. The document is in
``schemas.report``; what it says is taken as said.
"""

from collections.abc import Iterator
from typing import Any

from schemas import purl, report
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    change_abandoned,
    change_created,
    change_merged,
    commit_pushed,
    deployment_failed,
    incident_detected,
    incident_reported,
    incident_resolved,
    service_deployed,
    service_rolledback,
)
from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_text
from streams.outcome import Mapped, Outcome, Unmapped
from streams.source import Source

source = Source("report", prefixes=("dev.dora.report.",))


@source.on("deployment", "incident", "change")
def reported(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A report of either kind; its own `kind` says which."""
    try:
        told = report.read(event.body or b"")
    except report.InvalidReport as error:
        return Unmapped(f"report: {error}")
    at = told.instant or instant_text(event.time)
    match told:
        case report.Deployment():
            return Mapped(_deployment(told, at, catalog))
        case report.Incident():
            return Mapped(_incident(told, at, catalog))
        case report.Change():
            return Mapped(*_change(told, at, catalog))


def _deployment(told: report.Deployment, at: str, catalog: Catalog) -> Draft:
    deployed: dict[str, Any] = {
        "source": told.source,
        "at": at,
        "deploy_id": told.deploy_id,
        "service": told.service,
        "environment": catalog.environment(told.environment, service=told.service),
        "repository": told.repository,
        "commit": told.commit,
        "artifact": told.purl or purl.generic("report", told.service, told.commit or told.id or at),
        "hotfix": told.hotfix or None,
        "basis": "report",
        "channel": source.name,
    }
    match told.outcome:
        case "success":
            # A deployment that was tried again and succeeded is one that succeeded.
            return service_deployed(**deployed, evidence=1)
        case "rollback":
            return service_rolledback(**deployed, evidence=1)
        case "failure":
            return deployment_failed(**deployed, reason=told.reason or "reported as failed")


def _incident(told: report.Incident, at: str, catalog: Catalog) -> Draft:
    suffered: dict[str, Any] = {
        "source": told.source,
        "at": at,
        "incident": told.id,
        "environment": catalog.environment(told.environment, service=told.service),
        "description": told.title,
        "service": told.service,
        "deploy_id": told.deploy_id,
        "repository": told.repository,
        "commit": told.commit,
        "artifact": told.purl,
        "reason": told.reason,
        "channel": source.name,
    }
    if told.status == "resolved":
        return incident_resolved(**suffered)
    if told.url is not None:
        return incident_reported(**suffered, ticket_uri=told.url)
    return incident_detected(**suffered)


def _change(told: report.Change, at: str, catalog: Catalog) -> Iterator[Draft]:
    known: dict[str, Any] = {
        "source": told.source,
        "at": at,
        "repository": told.repository,
        "service": told.service or catalog.service("repository", told.repository),
        "channel": source.name,
        "hotfix": told.hotfix or None,
        "reverts": told.reverts,
    }
    change = {**known, "change": told.identity, "branch": told.branch, "commit": told.commit}
    change["head"] = told.head
    match told.status:
        case "opened":
            yield change_created(**change, description=told.title)
        case "abandoned":
            yield change_abandoned(**change)
        case "merged":
            yield change_merged(**change)
            for order, pushed in enumerate(told.pushed):
                yield commit_pushed(
                    **known,
                    commit=pushed.commit,
                    branch=told.branch,
                    order=order,
                    before=told.before,
                    after=told.commit,
                    committed_at=None if pushed.committed_at is None else str(pushed.committed_at),
                )

"""Issues: tickets, and those labelled as incidents are incidents as well.

GitHub has no incidents of its own. What a label says is what people agreed on: ``incident``, also as a word
of another, as in ``type: incident`` or ``incident/sev1``. Labels may name the environment
(``environment: staging``) and the service (``service: checkout``) that suffers.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import incident_reported, incident_resolved
from schemas.patterns import is_pattern
from streams.fields import Fields
from streams.github.repository import Repository
from streams.marks import LONGEST_READ

_INCIDENT = re.compile(r"(?:^|[\s:/_-])incident(?:$|[\s:/_-])", re.IGNORECASE)
_SAID = re.compile(r"(?P<key>environment|env|service)\s*[:/=]\s*(?P<value>\S.*)", re.IGNORECASE)
_CAUSE = re.compile(r"\broot cause:?\s*`?([0-9a-f]{40})\b", re.IGNORECASE)

# Of the labels that every new repository has, and of ours.
KINDS = ("incident", "bug", "enhancement", "question", "task")
RESOLUTIONS = {"completed": "completed", "not_planned": "withdrawn", "duplicate": "duplicate"}


def labels_of(told: Fields) -> list[str]:
    """The names of an issue's labels."""
    return [name for label in told.each("issue.labels") if (name := label.optional("name"))]


def ticket(told: Fields, repository: Repository) -> dict[str, Any]:
    """What every event about an issue tells of it."""
    labels = labels_of(told)
    named = {label.lower() for label in labels} | ({"incident"} if is_incident(labels) else set())
    return {
        "source": repository.url,
        "ticket": told.uri("issue.url"),
        "uri": told.uri("issue.html_url"),
        "summary": told.words("issue.title"),
        "kind": next((kind for kind in KINDS if kind in named), None),
        "labels": labels,
        "milestone": told.words("issue.milestone.title"),
        "repository": repository.name,
        "service": repository.service,
        "channel": "github",
    }


def is_incident(labels: Sequence[str]) -> bool:
    """Whether one of the labels says so."""
    return any(_INCIDENT.search(label) is not None for label in labels)


def incidents(action: str, told: Fields, repository: Repository, catalog: Catalog) -> Iterator[Draft]:
    """The incident that an issue opens or ends, if it is one and this changes it."""
    labels, label = labels_of(told), told.optional("label.name") or ""
    if action == "unlabeled" and is_incident([label]) and not is_incident(labels):
        known = _incident(told, repository, catalog, labels)
        reason = "no longer labelled as an incident"
        began = told.optional_instant("issue.created_at")
        yield incident_resolved(
            at=told.instant("issue.updated_at"), reason=reason, detected_at=began, **known
        )
    if not is_incident(labels):
        return
    known = _incident(told, repository, catalog, labels)
    uri, created = told.uri("issue.html_url"), told.instant("issue.created_at")
    labelled = action == "labeled" and is_incident([label]) and told.find("issue.state") == "open"
    if action == "opened" or labelled:
        # A label that is given with a new issue is told of twice, and it is the same incident.
        fact = f"{known['incident']} reported {created}"
        yield incident_reported(at=created, ticket_uri=uri, fact=fact, **known)
    elif action == "reopened":
        yield incident_reported(at=told.instant("issue.updated_at"), ticket_uri=uri, **known)
    elif action in ("closed", "deleted", "transferred"):
        why = told.optional("issue.state_reason") if action == "closed" else f"the issue was {action}"
        at = told.instant("issue.closed_at", "issue.updated_at")
        yield incident_resolved(at=at, reason=why, detected_at=created, **known)


def _incident(
    told: Fields, repository: Repository, catalog: Catalog, labels: Sequence[str]
) -> dict[str, Any]:
    said = {
        "environment" if match["key"].lower() == "env" else match["key"].lower(): match["value"].strip()
        for label in labels
        if (match := _SAID.fullmatch(label))
    }
    service = said.get("service") or repository.service
    native = said.get("environment")
    cause = _CAUSE.search(told.prose("issue.body")[:LONGEST_READ])
    return {
        "source": repository.url,
        "incident": told.uri("issue.url"),
        "environment": catalog.environment(native, service=service) if native else production(catalog),
        "description": told.words("issue.title"),
        "service": service,
        "repository": repository.name,
        "commit": cause[1].lower() if cause else None,
        "channel": "github",
    }


def production(catalog: Catalog) -> str:
    """Where an incident is when nothing says where: the catalog's first production environment."""
    named = (name for name in catalog.production_environments if not is_pattern(name))
    return next(named, "production")

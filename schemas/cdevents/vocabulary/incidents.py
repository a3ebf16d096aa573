"""Incidents in an environment. The subject is the incident; ``service``, when known, is what suffers."""

from typing import Any, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft, reference


class Suffered(Told, total=False):
    """What may be known of an incident; ``deploy_id``, ``commit`` and ``artifact`` link it to its cause.

    ``detected_at``, RFC 3339 text, is when an incident that is resolved began, if the source repeats it.
    """

    description: str | None
    service: str | None
    deploy_id: str | None
    repository: str | None
    commit: str | None
    artifact: str | None
    reason: str | None
    detected_at: str | None


def incident_detected(
    *, source: str, at: str, incident: str, environment: str, **known: Unpack[Suffered]
) -> Draft:
    """Monitoring found that something is wrong."""
    return _incident("incident.detected", source, at, incident, environment, known)


def incident_reported(
    *, source: str, at: str, incident: str, environment: str, ticket_uri: str, **known: Unpack[Suffered]
) -> Draft:
    """Somebody opened a ticket for an incident; ``ticket_uri`` is an absolute URI."""
    return _incident("incident.reported", source, at, incident, environment, known, ticket_uri=ticket_uri)


def incident_resolved(
    *, source: str, at: str, incident: str, environment: str, **known: Unpack[Suffered]
) -> Draft:
    """The service works again."""
    return _incident("incident.resolved", source, at, incident, environment, known)


def _incident(
    name: str,
    source: str,
    at: str,
    incident: str,
    environment: str,
    known: Suffered,
    *,
    ticket_uri: str | None = None,
) -> Draft:
    content = {
        "description": known.get("description") or None,
        "environment": reference(environment),
        "service": reference(known.get("service")),
        "artifactId": known.get("artifact"),
        "ticketURI": ticket_uri,
    }
    dora: dict[str, Any] = {"environment": environment, **known}
    return draft(name, source=source, at=at, subject_id=incident, content=content, dora=dora)

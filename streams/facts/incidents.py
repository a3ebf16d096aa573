"""Incidents: when one began and ended, where, and which deployment its source blames. Pure.

CDEvents, spec.md: a subject is identified by its id and source; without a source it is that of the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.instant import microseconds_of
from streams.facts.told import (
    LONGEST_KEY,
    content_of,
    earliest,
    identity_in,
    instant_of,
    instant_told,
    kind_of,
    latest,
    repository_of,
    text,
)

BEGUN = ("dev.cdevents.incident.detected", "dev.cdevents.incident.reported")
RESOLVED = "dev.cdevents.incident.resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as far as it is known; the columns of the table ``incidents``.

    ``detected_at`` is its earliest report and ``opened_at`` its latest, which is later than ``resolved_at``
    when it was opened again. ``told`` holds of each further fact what was told last, and when, in
    microseconds: a service that was corrected, a deployment that is blamed only when all is over.
    """

    incident_source: str
    incident_id: str
    detected_at: datetime | None
    opened_at: datetime | None
    resolved_at: datetime | None
    told: Mapping[str, tuple[int, str]]

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it."""
        return (self.incident_source, self.incident_id)


def incident_of(event: CDEvent, catalog: Catalog) -> Incident | None:
    """The incident that ``event`` tells of."""
    kind = kind_of(event)
    if kind not in BEGUN and kind != RESOLVED:
        return None
    at = instant_of(event)
    begun, resolved = (at, None) if kind in BEGUN else (instant_told(event.dora.get("detected_at"), at), at)
    source = text(event.document["subject"].get("source")) or event.source
    facts = _facts(event, catalog)
    micros = microseconds_of(at)
    told = {name: (micros, value) for name, value in facts.items() if value is not None}
    return Incident(source[:LONGEST_KEY], event.subject_id, begun, begun, resolved, told)


def merge(one: Incident, other: Incident) -> Incident:
    """Two tellings of one incident as one."""
    names = {*one.told, *other.told}
    return Incident(
        one.incident_source,
        one.incident_id,
        earliest(one.detected_at, other.detected_at),
        latest(one.opened_at, other.opened_at),
        latest(one.resolved_at, other.resolved_at),
        {name: max(each.told[name] for each in (one, other) if name in each.told) for name in sorted(names)},
    )


def _facts(event: CDEvent, catalog: Catalog) -> dict[str, str | None]:
    dora, content = event.dora, content_of(event)
    native = identity_in(content, "service")
    service = text(dora.get("service"))
    if service is None and native is not None:
        service = catalog.service("workload", native)
    environment = text(dora.get("environment"))
    named = identity_in(content, "environment")
    if environment is None and named is not None:
        environment = catalog.environment(named, service=service)
    commit = text(dora.get("commit"))
    return {
        "service": service,
        "environment": environment,
        "repository": repository_of(event),
        "deploy_id": text(dora.get("deploy_id")),
        "commit": None if commit is None else commit.lower(),
        "artifact": text(dora.get("artifact")) or text(content.get("artifactId")),
        "ticket": text(content.get("ticketURI")),
    }

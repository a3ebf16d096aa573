"""PagerDuty, V3 web hooks. Spec: developer.pagerduty.com/docs/webhooks-overview (PagerDuty/developer-docs).

An incident is opened when it is triggered, and again when it is reopened; what becomes of it between is no
news here. Older payloads have no ``created_at``: then only the event of the trigger tells when it began.
"""

from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.vocabulary import incident_detected, incident_resolved
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.incidents import place_of
from streams.outcome import Ignored, Mapped, Outcome
from streams.source import Source

source = Source("pagerduty", prefixes=("com.pagerduty.",))

MERGED = "merge_resolve_reason"


@source.on("incident.triggered", "incident.reopened")
def incident_opened(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An incident began, or was not over after all."""
    told = Fields(event.data).within("event")
    return Mapped(incident_detected(**_incident(told, event, catalog)))


@source.on("incident.resolved")
def incident_closed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An incident is over, or is treated as part of another one from now on."""
    told = Fields(event.data).within("event")
    began = told.optional_instant("data.reopened_at") or told.optional_instant("data.created_at")
    return Mapped(
        incident_resolved(**_incident(told, event, catalog), detected_at=began, reason=_merged_into(told))
    )


@source.on("incident")
def incident_changed(event: CloudEvent, _: Catalog) -> Outcome:
    """Something about an incident changed: who works on it, how bad it is, what was said."""
    kind = Fields(event.data).text("event.event_type")
    return Ignored(f"{kind} neither opens nor closes an incident")


@source.on("service")
def service_changed(_: CloudEvent, __: Catalog) -> Outcome:
    """What PagerDuty calls a service was created, changed or deleted in its settings."""
    return Ignored("a service in PagerDuty's settings changed, which is no incident")


@source.on("pagey")
def web_hook_tested(_: CloudEvent, __: Catalog) -> Outcome:
    """Somebody pressed "Send Test Event"."""
    return Ignored("PagerDuty's test of this web hook")


def _incident(told: Fields, event: CloudEvent, catalog: Catalog) -> dict[str, Any]:
    place = place_of({}, catalog, called=told.optional("data.service.summary"))
    return {
        "source": event.source,
        "incident": told.text("data.id"),
        "at": told.instant("occurred_at"),
        "service": place.service,
        "environment": place.environment,
        "description": told.words("data.title"),
        "channel": source.name,
    }


def _merged_into(told: Fields) -> str | None:
    if told.find("data.resolve_reason.type") != MERGED:
        return None
    return f"merged into {told.optional('data.resolve_reason.incident.id') or 'another incident'}"

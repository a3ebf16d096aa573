"""Opsgenie, and the alerts of Jira Service Management, whose web hooks are the same.

Spec: support.atlassian.com/opsgenie, "Alert action data". An alert is the incident. ``createdAt`` counts
milliseconds and ``updatedAt`` nanoseconds. Create is sent again to the web hook of each team that is added.
"""

from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.vocabulary import incident_detected, incident_resolved
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.incidents import causes_of, labels_of, place_of
from streams.outcome import Ignored, Mapped, Outcome
from streams.source import Source

source = Source("opsgenie", prefixes=("com.opsgenie.",))

# The web hooks of several integrations tell of one alert.
EVERYWHERE = "/opsgenie"


@source.on("alert.create")
def alert_opened(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An alert began."""
    alert = Fields(event.data).within("alert")
    told = _incident(alert, event, catalog, "detected")
    return Mapped(incident_detected(**told, at=alert.instant("createdAt")))


@source.on("alert.close", "alert.delete")
def alert_closed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An alert is over, or was deleted, and nobody will close it any more."""
    alert = Fields(event.data).within("alert")
    told = _incident(alert, event, catalog, "resolved")
    reason = "the alert was deleted" if event.type.endswith(".delete") else None
    at = event.time if alert.find("updatedAt") is None else alert.instant("updatedAt")
    began = alert.optional_instant("createdAt")
    return Mapped(incident_resolved(**told, at=at or "", detected_at=began, reason=reason))


@source.on("alert")
def alert_changed(event: CloudEvent, _: Catalog) -> Outcome:
    """Something else was done to an alert, by an action of Opsgenie's or a custom one."""
    return Ignored(f"{Fields(event.data).text('action')} neither opens nor closes an alert")


def _incident(alert: Fields, event: CloudEvent, catalog: Catalog, what: str) -> dict[str, Any]:
    labels = {**_tags(alert.find("tags")), **labels_of(alert.find("details"))}
    place = place_of(labels, catalog, called=alert.optional("entity"))
    incident = alert.text("alertId")
    return {
        **causes_of(labels),
        "source": event.source,
        "subject_source": EVERYWHERE,
        "incident": incident,
        "service": place.service,
        "environment": place.environment,
        "description": alert.words("message"),
        "channel": source.name,
        "fact": f"{incident} {what}",
    }


def _tags(told: Any) -> dict[str, str]:
    """Tags are words; ``service:checkout`` and ``environment=production`` are labels."""
    words = [tag.replace("=", ":", 1) for tag in told or () if isinstance(tag, str)]
    return labels_of(dict(word.split(":", 1) for word in words if ":" in word))

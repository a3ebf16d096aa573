"""Alertmanager, of Prometheus and of what speaks its language (Grafana, Mimir, Thanos).

Spec: prometheus.io/docs/alerting, "webhook_config"; template/template.go. One notification holds a group of
alerts, and is repeated until all of them are resolved. So an incident is an alert with the instant since when
it fires, and however often it is told of, it is one.
"""

import hashlib
from typing import Any

import orjson

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import incident_detected, incident_resolved
from schemas.cloudevents.event import CloudEvent
from schemas.instant import format_instant, parse_instant
from streams.fields import Fields
from streams.incidents import causes_of, labels_of, place_of
from streams.outcome import Ignored, Mapped, Outcome
from streams.shapes import Unfit
from streams.source import Source
from streams.texts import words

source = Source("alertmanager", prefixes=("io.prometheus.alertmanager.",))

NEVER = "0001-01-01"  # the zero time of Go; as the end of an alert, it has none yet
# Of several Alertmanagers that share their work each has an address of its own, and any may tell the end.
EVERYWHERE = "/alertmanager"
# Rules that always fire, to show that alerting works (Watchdog), and helpers of other rules.
NO_INCIDENT = "none"


@source.on("firing", "resolved")
def group_notified(event: CloudEvent, catalog: Catalog) -> Outcome:
    """Some alerts of a group fire, some are resolved: each says so itself."""
    alerts = [alert for alert in Fields(event.data).each("alerts") if severity_of(alert) != NO_INCIDENT]
    if not alerts:
        return Ignored("no alert of this notification is an incident: their severity is none")
    return Mapped(*(_alert(alert, event, catalog) for alert in alerts))


def severity_of(alert: Fields) -> str:
    """How bad it is, in the rule's own words."""
    return alert.prose("labels.severity").lower()


def _alert(alert: Fields, event: CloudEvent, catalog: Catalog) -> Draft:
    labels, annotations = labels_of(alert.find("labels")), labels_of(alert.find("annotations"))
    place = place_of(labels, catalog)
    began = alert.instant("startsAt")
    # Alertmanager writes one instant in several zones, as Prometheus sent it or as it was stored.
    incident = f"{_fingerprint(alert)}:{format_instant(parse_instant(began))}"
    told: dict[str, Any] = {
        **causes_of({**annotations, **labels}),
        "source": event.source,
        "subject_source": EVERYWHERE,
        "incident": incident,
        "service": place.service,
        "environment": place.environment,
        "description": words(
            annotations.get("summary") or annotations.get("description") or labels.get("alertname")
        ),
        "channel": source.name,
    }
    match alert.text("status"):
        case "firing":
            return incident_detected(**told, at=began, fact=f"{incident} detected")
        case "resolved":
            return incident_resolved(
                **told, at=_ended(alert, event), detected_at=began, fact=f"{incident} resolved"
            )
        case _:
            raise Unfit("the status of an alert is neither firing nor resolved")


def _ended(alert: Fields, event: CloudEvent) -> str:
    """When the alert was resolved; it may be told with the zero time, and then it is news."""
    if alert.prose("endsAt").startswith(NEVER) or alert.find("endsAt") is None:
        return event.time or ""
    return alert.instant("endsAt")


def _fingerprint(alert: Fields) -> str:
    """The alert's own; versions before 0.19 send none, and its labels are what it is made of."""
    told = alert.optional("fingerprint")
    labels = alert.find("labels")
    return told or hashlib.sha256(orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

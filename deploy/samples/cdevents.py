"""Deliveries as tools that speak CDEvents tell of them: one of 0.5, and one that still sends 0.4. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from schemas.instant import format_instant

Told = tuple[dict[str, str], dict[str, Any]]

# Each tool's spec version, and how that names the version of the spec and of the event types used here.
TOOLS = {
    "jenkins": ("0.5.1", "specversion", "0.3.0"),
    "tekton": ("0.4.1", "version", "0.2.0"),
}


def delivery(service: str, tool: str, number: int, at: datetime, *, failed: bool) -> Iterator[Told]:
    """A pipeline run, the artifact, the deployment; a failed one is found out and repaired later."""
    built = artifact(service, number)
    run = f"{tool}/{service}/{number}"
    yield told(tool, "pipelinerun.finished", run, at, {"pipelineName": service, "outcome": "success"})
    environment = {"environment": {"id": "production"}}
    deployed_at = at + timedelta(minutes=6)
    deployed = {**environment, "artifactId": built}
    yield told(tool, "service.deployed", service, deployed_at, deployed)
    if failed:
        incident = f"{service}-{number}"
        found = deployed_at + timedelta(minutes=11)
        about = {**environment, "service": {"id": service}, "artifactId": built}
        yield told(tool, "incident.detected", incident, found, about)
        yield told(tool, "incident.resolved", incident, found + timedelta(minutes=42), about)


def artifact(service: str, number: int) -> str:
    """What the delivery of that number delivers."""
    return f"pkg:oci/{service}@sha256%3A{uuid5(NAMESPACE_URL, f'{service} {number}').hex * 2}"


def told(tool: str, event: str, subject: str, at: datetime, content: dict[str, Any]) -> Told:
    """One CDEvent in a CloudEvent, in the tool's version of the spec."""
    spec, spec_field, version = TOOLS[tool]
    source, kind = f"https://{tool}.example", f"dev.cdevents.{event}.{version}"
    id_ = str(uuid5(NAMESPACE_URL, f"{source} {kind} {subject} {at}"))
    context = {spec_field: spec, "id": id_, "source": source, "type": kind, "timestamp": format_instant(at)}
    told_subject: dict[str, Any] = {"id": subject, "content": content}
    if spec_field == "version":
        told_subject["type"] = event.partition(".")[0]
    attributes = {"type": kind, "source": source, "subject": subject, "time": format_instant(at), "id": id_}
    return attributes, {"context": context, "subject": told_subject}

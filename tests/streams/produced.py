"""Records as producers write them onto the input topic."""

import json
from pathlib import Path
from typing import Any

from tests.infra.production import Record

FIXTURES = Path(__file__).parents[1] / "fixtures"

MINIMUM: list[tuple[str, bytes | None]] = [("ce_specversion", b"1.0"), ("ce_source", b"/s")]


def cloudevent(
    event_id: str,
    body: bytes | None = b"{}",
    *,
    event_type: str = "com.example.unknown",
    key: bytes | None = None,
) -> Record:
    """A binary-mode CloudEvent of a type that nothing maps."""
    headers = [*MINIMUM, ("ce_id", event_id.encode()), ("ce_type", event_type.encode())]
    return key, body, [*headers, ("content-type", b"application/json")]


def deployed(
    event_id: str,
    *,
    service: str = "checkout",
    environment: str = "production",
    at: str = "2026-03-05T10:00:00Z",
    artifact: str = "pkg:oci/c@1",
    kind: str = "deployed",
    key: bytes | None = None,
    custom: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
) -> Record:
    """A native CDEvent; ``custom`` is its customData, ``more`` are further members of its subject.content."""
    name = f"dev.cdevents.service.{kind}.0.3.0"
    content = {"environment": {"id": environment}, "artifactId": artifact, **(more or {})}
    context = {"specversion": "0.5.1", "id": event_id, "source": "/ci", "type": name, "timestamp": at}
    document: dict[str, Any] = {"context": context, "subject": {"id": service, "content": content}}
    if custom is not None:
        document |= {"customData": custom, "customDataContentType": "application/json"}
    attributes = {"specversion": "1.0", "id": event_id, "source": "/ci", "type": name, "subject": service}
    headers: list[tuple[str, bytes | None]] = [
        (f"ce_{attribute}", value.encode()) for attribute, value in attributes.items()
    ]
    return key, json.dumps(document).encode(), [*headers, ("content-type", b"application/json")]


def recorded(name: str) -> list[Record]:
    """The requests of one recording of a Kubernetes cluster, as a KafkaSink in binary mode writes them."""
    records: list[Record] = []
    for line in (FIXTURES / "kubernetes-recorded" / f"{name}.jsonl").read_text().splitlines():
        request = json.loads(line)
        sent = [(header.lower(), value.encode()) for header, value in request["headers"]]
        headers: list[tuple[str, bytes | None]] = [
            (header.replace("ce-", "ce_", 1), value)
            for header, value in sent
            if header.startswith("ce-") or header == "content-type"
        ]
        records.append((None, request["body"].encode(), headers))
    return records

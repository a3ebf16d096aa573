"""A seeded workload: event ``n`` can be built again at any time, so nobody has to keep it."""

import base64
import json
import random
from dataclasses import dataclass
from typing import Any

DEPLOYED = "dev.cdevents.service.deployed.0.3.0"
SOURCES = 16  # events of one source and subject share a partition, so there are several
# One service has most of the deployments, as one repository often has: its partition is the hot one.
SERVICES = {"web": 60, "checkout": 10, "payments": 10, "search": 10, "orders": 10}
TWINS = 100  # one event in so many is sent a second time under its identity with other data


@dataclass(frozen=True)
class Event:
    """One CloudEvent as its producer sees it: attributes and the data's bytes."""

    attributes: dict[str, str]
    body: bytes

    @property
    def identity(self) -> tuple[str, str]:
        return self.attributes["source"], self.attributes["id"]


@dataclass(frozen=True)
class Workload:
    """Events 0, 1, 2, ... of one seed; ``name`` keeps the ids of two workloads apart."""

    seed: int
    name: str = "event"

    def id_of(self, number: int) -> str:
        return f"{self.name}-{number}"

    def number_of(self, event_id: str) -> int | None:
        """The number in an id; ``None`` for an id that is not of this workload."""
        name, _, number = event_id.rpartition("-")
        return int(number) if name == self.name and number.isdecimal() else None

    def has_twin(self, number: int) -> bool:
        """Whether there is another event with the same source and id."""
        return number % TWINS == TWINS // 2

    def build(self, number: int) -> Event:
        """Event ``number``: mostly deployments, and everything else that arrives in practice."""
        chance = random.Random(f"{self.seed} {number}")
        kind = chance.random()
        if self.has_twin(number) or kind >= 0.85:
            content = chance.randbytes(chance.randrange(1, 4000))
            return self._event(number, "com.example.binary", "application/octet-stream", content)
        if kind < 0.7:
            return self._deployment(number, chance, broken=kind >= 0.6)
        note = {"n": number, "note": "ünï€ " * chance.randrange(200)}
        body = json.dumps(note, ensure_ascii=False).encode()
        return self._event(number, "com.example.nobody.maps.this", "application/json", body)

    def twin(self, number: int) -> Event:
        """What comes under the identity of event ``number`` with other data."""
        return self._event(
            number, "com.example.binary", "application/octet-stream", f"twin {number}".encode()
        )

    def _deployment(self, number: int, chance: random.Random, *, broken: bool) -> Event:
        """A native CDEvent; a broken one lacks what its schema requires."""
        month, day, hour = chance.randrange(1, 7), chance.randrange(1, 28), chance.randrange(24)
        content: dict[str, Any] = {"artifactId": f"pkg:oci/app@sha256%3A{number:064x}"}
        if not broken:
            content["environment"] = {"id": chance.choice(["staging", "production"])}
        (service,) = chance.choices(list(SERVICES), list(SERVICES.values()))
        document = {
            "context": {
                "specversion": "0.5.1",
                "id": self.id_of(number),
                "source": source_of(number),
                "type": DEPLOYED,
                "timestamp": f"2026-{month:02d}-{day:02d}T{hour:02d}:30:00Z",
            },
            "subject": {"id": service, "content": content},
            "customData": {"padding": "x" * chance.randrange(3000)},
        }
        body = json.dumps(document, indent=chance.choice([None, 1])).encode()
        return self._event(number, DEPLOYED, "application/json", body)

    def _event(self, number: int, kind: str, content_type: str, body: bytes) -> Event:
        attributes = {
            "specversion": "1.0",
            "id": self.id_of(number),
            "source": source_of(number),
            "type": kind,
            "datacontenttype": content_type,
        }
        return Event(attributes, body)


def source_of(number: int) -> str:
    return f"/workload/{number % SOURCES}"


def envelope(event: Event) -> bytes:
    """The event in JSON format, JSON data standing in it byte for byte."""
    head = json.dumps(event.attributes).encode()[:-1]
    if event.attributes["datacontenttype"] == "application/json":
        return head + b',"data":' + event.body + b"}"
    return head + b',"data_base64":"' + base64.b64encode(event.body) + b'"}'


def encode(group: list[Event], *, structured: bool) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request that carries ``group``."""
    if len(group) > 1:
        body = b"[" + b",".join(envelope(event) for event in group) + b"]"
        return {"content-type": "application/cloudevents-batch+json"}, body
    (one,) = group
    if structured:
        return {"content-type": "application/cloudevents+json"}, envelope(one)
    headers = {f"ce-{name}": value for name, value in one.attributes.items() if name != "datacontenttype"}
    return {**headers, "content-type": one.attributes["datacontenttype"]}, one.body

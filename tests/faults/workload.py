"""A seeded workload with a journal: what was sent, and what the ingress acknowledged."""

import asyncio
import base64
import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

DEPLOYED = "dev.cdevents.service.deployed.0.3.0"
SERVICES = ("checkout", "payments", "search", "web", "orders")


@dataclass(frozen=True)
class Event:
    """One CloudEvent as its producer sees it: attributes and the data's bytes."""

    attributes: dict[str, str]
    body: bytes

    @property
    def identity(self) -> tuple[str, str]:
        return self.attributes["source"], self.attributes["id"]


def build(number: int, seed: int) -> Event:
    """Event ``number``: mostly deployments, and everything else that arrives in practice."""
    chance = random.Random(f"{seed} {number}")
    kind = chance.random()
    if kind < 0.6:
        return deployment(number, chance)
    if kind < 0.7:
        return deployment(number, chance, broken=True)
    if kind < 0.85:
        body = json.dumps({"n": number, "note": "ünï€ " * chance.randrange(200)}, ensure_ascii=False).encode()
        return event(number, "com.example.nobody.maps.this", "application/json", body)
    return event(
        number, "com.example.binary", "application/octet-stream", chance.randbytes(chance.randrange(1, 4000))
    )


def deployment(number: int, chance: random.Random, *, broken: bool = False) -> Event:
    """A native CDEvent; a broken one lacks what its schema requires."""
    at = f"2026-{chance.randrange(1, 7):02d}-{chance.randrange(1, 28):02d}T{chance.randrange(24):02d}:30:00Z"
    content: dict[str, Any] = {"artifactId": f"pkg:oci/app@sha256%3A{number:064x}"}
    if not broken:
        content["environment"] = {"id": chance.choice(["staging", "production"])}
    document = {
        "context": {
            "specversion": "0.5.1",
            "id": f"event-{number}",
            "source": "/workload",
            "type": DEPLOYED,
            "timestamp": at,
        },
        "subject": {"id": chance.choice(SERVICES), "content": content},
        "customData": {"padding": "x" * chance.randrange(3000)},
    }
    return event(
        number, DEPLOYED, "application/json", json.dumps(document, indent=chance.choice([None, 1])).encode()
    )


def event(number: int, kind: str, content_type: str, body: bytes) -> Event:
    attributes = {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": "/workload",
        "type": kind,
        "datacontenttype": content_type,
    }
    return Event(attributes, body)


def envelope(event: Event) -> bytes:
    """The event in JSON format, JSON data standing in it byte for byte."""
    head = json.dumps(event.attributes).encode()[:-1]
    if event.attributes["datacontenttype"] == "application/json":
        return head + b',"data":' + event.body + b"}"
    return head + b',"data_base64":"' + base64.b64encode(event.body) + b'"}'


@dataclass
class Journal:
    """What the client knows: every event that it sent, and the identities answered with 202."""

    sent: dict[tuple[str, str], Event] = field(default_factory=dict)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    answers: dict[str, int] = field(default_factory=dict)

    def note(self, events: list[Event], answer: str) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + 1
        if answer == "202":
            self.acknowledged.update(event.identity for event in events)


class Client:
    """Posts events, again and again until they are acknowledged; and some of them twice, as clients do."""

    def __init__(self, url: Any, journal: Journal, seed: int) -> None:
        self._url = url
        self._journal = journal
        self._chance = random.Random(seed)
        self._http = httpx.AsyncClient(timeout=12)

    async def post_all(self, events: list[Event], *, at_once: int, a_second: float) -> None:
        """Post every event, at most ``at_once`` requests at a time and about ``a_second`` events a second."""
        slots = asyncio.Semaphore(at_once)
        tasks = []
        while events:
            take = self._chance.choice([1, 1, 1, 1, 1, 1, 20])
            group, events = events[:take], events[take:]
            repeat = self._chance.random() < 0.1
            tasks += [asyncio.create_task(self._post(group, slots)) for _ in range(1 + repeat)]
            await asyncio.sleep(len(group) / a_second)
        await asyncio.gather(*tasks)
        await self._http.aclose()

    async def _post(self, group: list[Event], slots: asyncio.Semaphore) -> None:
        self._journal.sent.update({event.identity: event for event in group})
        headers, body = self._encode(group)
        async with slots:
            while True:
                answer = await self._try(headers, body)
                self._journal.note(group, answer)
                if answer == "202":
                    return
                assert answer in {"503", "429", "lost"}, answer
                await asyncio.sleep(0.2)

    def _encode(self, group: list[Event]) -> tuple[dict[str, str], bytes]:
        if len(group) > 1:
            body = b"[" + b",".join(envelope(event) for event in group) + b"]"
            return {"content-type": "application/cloudevents-batch+json"}, body
        (one,) = group
        if self._chance.random() < 0.3:
            return {"content-type": "application/cloudevents+json"}, envelope(one)
        headers = {f"ce-{name}": value for name, value in one.attributes.items() if name != "datacontenttype"}
        return {**headers, "content-type": one.attributes["datacontenttype"]}, one.body

    async def _try(self, headers: dict[str, str], body: bytes) -> str:
        try:
            response = await self._http.post(self._url(), headers=headers, content=body)
        except (httpx.HTTPError, OSError):
            return "lost"
        return str(response.status_code)

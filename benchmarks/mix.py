"""The events of the benchmarks: 2 kB median, 20 kB at the 95th percentile, one in ten a deployment.

Sizes are log-normal, which is how the bodies of web hooks are spread; the other nine of ten are pushes as
GitHub sends them, whose commits are what makes them long. Deterministic: the same numbers, the same bytes.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

MEDIAN, P95 = 2_000, 20_000  # bytes
SIGMA = math.log(P95 / MEDIAN) / 1.6449  # 1.6449 standard deviations are the 95th percentile
LARGEST = 200_000
LARGEST_BATCH = 960_000  # DORA_BODY_LIMIT is 983,040
ATTRIBUTES = 400  # bytes of an event in a batch besides its data, at the most
SHARE_OF_DEPLOYMENTS = 0.1
SERVICES = 100
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DEPLOYED = "dev.cdevents.service.deployed.0.3.0"
PUSHED = "com.github.push"


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent in binary mode."""

    id: str
    source: str
    type: str
    time: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers; Kafka's are the same with ``ce_``."""
        return {
            "ce-specversion": "1.0",
            "ce-id": self.id,
            "ce-source": self.source,
            "ce-type": self.type,
            "ce-time": self.time,
            "content-type": "application/json",
        }

    def kafka_headers(self) -> list[tuple[str, bytes]]:
        """As the Kafka protocol binding has them."""
        return [(name.replace("ce-", "ce_"), value.encode()) for name, value in self.headers.items()]

    def structured(self) -> dict[str, Any]:
        """As one member of a batch in JSON."""
        attributes = {name.removeprefix("ce-"): value for name, value in self.headers.items()}
        attributes["datacontenttype"] = attributes.pop("content-type")
        return {**attributes, "data": orjson.Fragment(self.body)}


def make_events(
    number: int,
    run: str,
    seed: int = 1,
    deployments: float = SHARE_OF_DEPLOYMENTS,
    median: int = MEDIAN,
    first: int = 0,
) -> list[Event]:
    """``number`` events whose ids begin with ``run``, with bodies of ``median`` bytes.

    One happens every seven seconds; ``first`` others have happened before them.
    """
    chance = random.Random(seed)
    return [_event(chance, f"{run}-{each}", first + each, deployments, median) for each in range(number)]


def make_batches(events: Sequence[Event], most: int) -> list[bytes]:
    """Bodies in JSON batch format of up to ``most`` events each, below the size that an ingress takes."""
    bodies: list[list[dict[str, Any]]] = []
    room = 0
    for event in events:
        if room < len(event.body) or len(bodies[-1]) == most:
            bodies.append([])
            room = LARGEST_BATCH
        bodies[-1].append(event.structured())
        room -= len(event.body) + ATTRIBUTES
    return [orjson.dumps(body) for body in bodies]


def sizes_of(events: Sequence[Event]) -> tuple[int, int]:
    """Median and 95th percentile of the bodies' sizes, in bytes."""
    ordered = sorted(len(event.body) for event in events)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def _event(chance: random.Random, identity: str, number: int, deployments: float, median: int) -> Event:
    size = min(LARGEST, int(chance.lognormvariate(math.log(median), SIGMA)))
    time = (FIRST + timedelta(seconds=7 * number)).isoformat().replace("+00:00", "Z")
    service = f"bench-{chance.randrange(SERVICES)}"
    if chance.random() < deployments:
        return Event(identity, "/bench", DEPLOYED, time, _deployed(identity, service, time, size))
    source = f"https://github.com/bench/{service}"
    return Event(identity, source, PUSHED, time, _pushed(identity, service, time, size))


def _deployed(identity: str, service: str, time: str, size: int) -> bytes:
    document = {
        "context": {
            "specversion": "0.5.1",
            "id": identity,
            "source": "/bench",
            "type": DEPLOYED,
            "timestamp": time,
        },
        "subject": {
            "id": service,
            "content": {"environment": {"id": "production"}, "artifactId": f"pkg:oci/{service}@{identity}"},
        },
    }
    return _padded(document, size)


def _pushed(identity: str, service: str, time: str, size: int) -> bytes:
    before, tip = (_hash_of(f"{identity} {when}") for when in ("before", "after"))
    commit = {
        "id": tip,
        "message": "One more change\n\nWith its reasons.",
        "timestamp": time,
        "url": f"https://github.com/bench/{service}/commit/{tip}",
        "author": {"name": "A developer", "email": "developer@example.org"},
        "added": [],
        "removed": [],
        "modified": [f"src/{service}/main.py"],
    }
    document = {
        "ref": "refs/heads/main",
        "before": before,
        "after": tip,
        "created": False,
        "deleted": False,
        "forced": False,
        "repository": {
            "full_name": f"bench/{service}",
            "name": service,
            "html_url": f"https://github.com/bench/{service}",
            "default_branch": "main",
        },
        "commits": [commit],
        "head_commit": commit,
    }
    return _padded(document, size)


def _hash_of(text: str) -> str:
    """A commit hash, which looks like one: parsers treat a long run of digits otherwise."""
    return sha256(text.encode()).hexdigest()[:40]


def _padded(document: dict[str, Any], size: int) -> bytes:
    """With words nobody reads, as most of a web hook is, up to ``size`` bytes."""
    body = orjson.dumps(document)
    missing = size - len(body)
    padding = [{"name": f"field {place}", "value": "x" * 40} for place in range(max(0, missing) // 72)]
    return orjson.dumps({**document, "customData" if "context" in document else "padding": {"rest": padding}})

"""Kafka records as the stages pass them on: where an event arrived, and what is sent on because of it.

Internal headers begin with ``dora-``. ``dora-origin`` keeps where a forwarded record first arrived,
``dora-generation`` which generation made it; both are read from internal topics only, never from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

Headers = list[tuple[str, bytes | None]]

ORIGIN = "dora-origin"
GENERATION = "dora-generation"
SOURCE = "dora-source"
TARGETS = "dora-targets"
SETTLES = "dora-settles"
RULE = "dora-rule"
INTERNAL = (ORIGIN, GENERATION, SOURCE, TARGETS, SETTLES, RULE)


class Outgoing(NamedTuple):
    """A record to publish. ``headers`` keeps order and repeats."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as it first came in, with the place and time of its arrival. ``at`` is the broker's clock."""

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    internal: dict[str, str]

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context that the producer propagated, a Kafka header or the CloudEvents extension."""
        found = {name.lower(): value for name, value in self.headers if value is not None}
        value = found.get("traceparent") or found.get("ce_traceparent")
        return value.decode("ascii", "ignore")[:64] if value else None

    def forward(self, topic: str, key: bytes | None, generation: int, **internal: str) -> Outgoing:
        """The same record for an internal topic, with its origin; ``source`` becomes ``dora-source``."""
        origin = f"{self.partition} {self.offset} {int(self.at.timestamp() * 1000)} {self.topic}"
        marks: Headers = [(ORIGIN, origin.encode()), (GENERATION, str(generation).encode())]
        marks += [(f"dora-{name}", value.encode()) for name, value in internal.items()]
        return Outgoing(topic, key, self.value, [*self.headers, *marks])


def arrival_of(message: Any, *, internal_topic: bool) -> Arrival:
    """Where and how a consumed Faust message arrived. Marks of internal topics are taken off the headers."""
    headers: Headers = [(str(name), value) for name, value in message.headers or ()]
    marks = {name: (value or b"").decode("utf-8", "replace") for name, value in headers if name in INTERNAL}
    plain = [header for header in headers if header[0] not in INTERNAL]
    topic, partition, offset, milliseconds = message.topic, message.partition, message.offset, None
    if internal_topic and ORIGIN in marks:
        first, second, third, topic = marks[ORIGIN].split(" ", 3)
        partition, offset, milliseconds = int(first), int(second), int(third)
    seconds = milliseconds / 1000 if milliseconds is not None else float(message.timestamp or 0)
    at = datetime.fromtimestamp(seconds, UTC)
    marks = marks if internal_topic else {}
    return Arrival(topic, partition, offset, at, message.key, message.value, plain, marks)


def generation_of(headers: Sequence[tuple[str, bytes | None]] | None) -> int | None:
    """The generation that made an internal record; ``None`` for a record that nobody marked."""
    for name, value in headers or ():
        if name == GENERATION and value is not None and value.isdigit():
            return int(value)
    return None

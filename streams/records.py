"""Kafka records as the stages pass them on: where an event arrived, and what is sent on because of it.

Internal headers begin with ``dora-``. ``dora-origin`` keeps where a forwarded record first arrived,
``dora-generation`` which generation made it,
``dora-redrive`` the dead letter that is handled again; they are read from internal topics only, never from
outside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

Headers = list[tuple[str, bytes | None]]

PREFIX = "dora-"
ORIGIN = "dora-origin"
GENERATION = "dora-generation"
SOURCE = "dora-source"
TARGETS = "dora-targets"
SETTLES = "dora-settles"
RULE = "dora-rule"
REDRIVE = "dora-redrive"
# W3C Trace Context, level 1. Later versions may add fields behind, which are left out.
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?=-|\Z)")
_ORIGIN = re.compile(r"([0-9]{1,9}) ([0-9]{1,18}) (-?[0-9]{1,15}) ([A-Za-z0-9._-]{1,249})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERNAL = (ORIGIN, GENERATION, SOURCE, TARGETS, SETTLES, RULE, REDRIVE)
_REDRIVE = re.compile(r"([0-9a-f]{64}) ([0-9]{1,9}) ([a-z]{1,20})", re.ASCII)


class Outgoing(NamedTuple):
    """A record to publish. ``headers`` keeps order and repeats."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Redrive(NamedTuple):
    """Which dead letter is handled again: its identity, its failed attempts, the stage that gave it up."""

    identity: bytes
    attempts: int
    stage: str

    @property
    def mark(self) -> str:
        """The value of the header ``dora-redrive``."""
        return f"{self.identity.hex()} {self.attempts} {self.stage}"


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
    def redrive(self) -> Redrive | None:
        """The dead letter that this record is, handled again."""
        found = _REDRIVE.fullmatch(self.internal[REDRIVE]) if REDRIVE in self.internal else None
        return Redrive(bytes.fromhex(found[1]), int(found[2]), found[3]) if found else None

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context that the producer propagated, a Kafka header or the CloudEvents extension.

        ``None`` for a malformed one: it goes into headers, an attribute and a column that take less.
        """
        found = {}
        for name, value in self.headers:
            if name[-11:].lower() == "traceparent" and value is not None:
                found[name.lower()] = value
        if not found:
            return None
        match = _TRACEPARENT.match(found.get("traceparent") or found.get("ce_traceparent") or b"")
        return match[0].decode() if match else None

    def forward(self, topic: str, key: bytes | None, generation: int, **internal: str) -> Outgoing:
        """The same record for an internal topic, with its origin; ``source`` becomes ``dora-source``."""
        origin = f"{self.partition} {self.offset} {int(self.at.timestamp() * 1000)} {self.topic}"
        marks: Headers = [(ORIGIN, origin.encode()), (GENERATION, str(generation).encode())]
        if self.redrive is not None:
            marks.append((REDRIVE, self.redrive.mark.encode()))
        marks += [(f"dora-{name}", value.encode()) for name, value in internal.items()]
        return Outgoing(topic, key, self.value, [*self.headers, *marks])


def arrival_of(message: Any, *, internal_topic: bool) -> Arrival:
    """Where and how a consumed Faust message arrived. Marks of internal topics are taken off the headers."""
    headers: Headers = list(message.headers or ())
    marks: dict[str, str] = {}
    plain = headers
    # Most records have no marks, and each has many headers.
    if any(name[:5] == PREFIX for name, _ in headers):
        marks = {
            name: (value or b"").decode("utf-8", "replace") for name, value in headers if name in INTERNAL
        }
        plain = [header for header in headers if header[0] not in INTERNAL]
    topic, partition, offset = message.topic, message.partition, message.offset
    at = _instant(message.timestamp or 0)
    origin = _ORIGIN.fullmatch(marks.get(ORIGIN, "")) if internal_topic else None
    if origin is not None:
        topic, partition, offset = origin[4], int(origin[1]), int(origin[2])
        at = _instant(int(origin[3]) / 1000)
    marks = marks if internal_topic else {}
    return Arrival(topic, partition, offset, at, message.key, message.value, plain, marks)


def _instant(seconds: float) -> datetime:
    # Producers set timestamps, and a broker need not check them.
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return EPOCH


def generation_of(headers: Sequence[tuple[str, bytes | None]] | None) -> int | None:
    """The generation that made an internal record; ``None`` for a record that nobody marked."""
    for name, value in headers or ():
        if name == GENERATION and value is not None and value.isdigit():
            return int(value)
    return None

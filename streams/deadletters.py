"""Dead letters: what could not be handled, with its original bytes and the reason. Pure.

On the ``deadletters`` topic the original key, value and headers stand unchanged, but for credentials; what is
known about the failure is in ``deadletter-*`` headers beside them. A redrive plays the original to the stages
once more, marked, so that it has its first origin again and a second failure is told of the same dead letter.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from schemas.deadletters import CONFLICT, FOREIGN, hopeless
from streams.records import GENERATION, REDRIVE, RULE, Arrival, Headers, Outgoing, Redrive

__all__ = [
    "CONFLICT",
    "FOREIGN",
    "DeadLetter",
    "Kept",
    "about_of",
    "header_rows",
    "hopeless",
    "without_credentials",
]

PREFIX = "deadletter-"
# Names of headers that carry credentials. A producer that copies all headers of a request to Kafka must not
# have them kept, shown and sent again; an event's own attributes (ce_*) are the event.
_CREDENTIAL = re.compile(
    r"(?!ce_).*(?:authorization|cookie|token|secret|passw|signature|api-?key|credential)", re.IGNORECASE
)
WITHHELD = b"withheld"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that a stage gave up on after ``attempts`` attempts."""

    arrival: Arrival
    stage: str
    reason: str
    attempts: int = 1

    @property
    def identity(self) -> bytes:
        """SHA-256 over stage, origin and value: told twice, or redriven, it is one dead letter."""
        a = self.arrival
        if a.redrive is not None:
            return a.redrive.identity
        place = f"{self.stage}\n{a.topic}\n{a.partition}\n{a.offset}\n".encode()
        return hashlib.sha256(place + (a.value or b"")).digest()

    def to_record(self, topic: str, generation: int) -> Outgoing:
        """The record for the ``deadletters`` topic."""
        a = self.arrival
        before = 0 if a.redrive is None else a.redrive.attempts
        about = {
            "identity": self.identity.hex(),
            "stage": self.stage,
            "reason": self.reason,
            "attempts": str(before + self.attempts),
            "topic": a.topic,
            "partition": str(a.partition),
            "offset": str(a.offset),
            "time": a.at.isoformat(),
        }
        if rule := a.internal.get(RULE):
            about["rule"] = rule
        marks: Headers = [(PREFIX + name, value.encode()) for name, value in about.items()]
        marks.append((GENERATION, str(generation).encode()))
        # aiokafka refuses a record with neither key nor value; Kafka itself does not.
        key = b"" if a.key is None and a.value is None else a.key
        return Outgoing(topic, key, a.value, [*without_credentials(a.headers), *marks])


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the table, as far as a redrive needs it. ``headers`` is the column's JSON."""

    identity: bytes
    attempts: int
    stage: str
    reason: str
    rule: str
    key: bytes | None
    value: bytes | None
    headers: str
    origin_topic: str
    origin_partition: int
    origin_offset: int
    arrived_at: datetime

    def again(self, topic: str, generation: int) -> Outgoing:
        """The original record for an internal topic, with its first origin, marked as a redrive."""
        headers: Headers = [
            (name, None if value is None else base64.b64decode(value))
            for name, value in orjson.loads(self.headers)
        ]
        mark = Redrive(self.identity, self.attempts, self.stage).mark
        original = Arrival(
            self.origin_topic,
            self.origin_partition,
            self.origin_offset,
            self.arrived_at,
            self.key,
            self.value,
            headers,
            {REDRIVE: mark},
        )
        rule = {"rule": self.rule} if self.rule else {}
        return original.forward(topic, self.key, generation, **rule)


def about_of(headers: Headers) -> Mapping[str, str]:
    """What the ``deadletter-*`` headers say, without their prefix."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode("utf-8", "replace")
        for name, value in headers
        if name.startswith(PREFIX)
    }


def without_credentials(headers: Headers) -> Headers:
    """The headers, in order, with the values of those that carry credentials replaced."""
    return [
        (name, WITHHELD if value is not None and _CREDENTIAL.match(name) else value)
        for name, value in headers
    ]


def header_rows(headers: Headers) -> list[list[str | None]]:
    """The original headers as JSON: ``[[name, base64 of the value or null]]``.

    PostgreSQL's JSON cannot hold a NUL; in a name it becomes U+FFFD.
    """
    return [
        [name.replace("\0", "\ufffd"), None if value is None else base64.b64encode(value).decode()]
        for name, value in without_credentials(headers)
        if not name.startswith(PREFIX)
    ]

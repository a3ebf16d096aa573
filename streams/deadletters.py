"""Dead letters: what could not be handled, with its original bytes and the reason. Pure.

On the ``deadletters`` topic the original key, value and headers stand unchanged; what is known about the
failure is in ``deadletter-*`` headers beside them.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from streams.records import GENERATION, Arrival, Headers, Outgoing

PREFIX = "deadletter-"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that a stage gave up on after ``attempts`` attempts."""

    arrival: Arrival
    stage: str
    reason: str
    attempts: int = 1

    @property
    def identity(self) -> bytes:
        """SHA-256 over stage, origin and value: told twice, it is one dead letter."""
        a = self.arrival
        place = f"{self.stage}\n{a.topic}\n{a.partition}\n{a.offset}\n".encode()
        return hashlib.sha256(place + (a.value or b"")).digest()

    def to_record(self, topic: str, generation: int) -> Outgoing:
        """The record for the ``deadletters`` topic."""
        a = self.arrival
        about = {
            "stage": self.stage,
            "reason": self.reason,
            "attempts": str(self.attempts),
            "topic": a.topic,
            "partition": str(a.partition),
            "offset": str(a.offset),
            "time": a.at.isoformat(),
        }
        marks: Headers = [(PREFIX + name, value.encode()) for name, value in about.items()]
        marks.append((GENERATION, str(generation).encode()))
        # aiokafka refuses a record with neither key nor value; Kafka itself does not.
        key = b"" if a.key is None and a.value is None else a.key
        return Outgoing(topic, key, a.value, [*a.headers, *marks])


def about_of(headers: Headers) -> Mapping[str, str]:
    """What the ``deadletter-*`` headers say, without their prefix."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode("utf-8", "replace")
        for name, value in headers
        if name.startswith(PREFIX)
    }


def header_rows(headers: Headers) -> list[list[str | None]]:
    """The original headers as JSON: ``[[name, base64 of the value or null]]``.

    PostgreSQL's JSON cannot hold a NUL; in a name it becomes U+FFFD.
    """
    return [
        [name.replace("\0", "\ufffd"), None if value is None else base64.b64encode(value).decode()]
        for name, value in headers
        if not name.startswith(PREFIX)
    ]

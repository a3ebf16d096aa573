"""What the stream tells: events as they were recorded, and who is to hear of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from query.answers import encode
from query.database import Reading, Row
from query.positions import Position
from query.shapes import event, event_path

PAGE = 500  # rows that are read at once


@dataclass(frozen=True, slots=True)
class Recording:
    """One event, as one message of the stream.

    ``services`` are those of its CDEvents, ``None`` among them for one that belongs to none. They are
    ``None`` where nobody has looked. ``is_whole``: all CDEvents are recorded, so that none is missing there.
    """

    position: Position
    source: str
    type: str
    fate: str
    services: Sequence[str | None] | None
    is_whole: bool
    message: bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """What a listener wants to hear of; ``None`` is all. ``sees``: what it may (query/context.py)."""

    source: str | None = None
    type: str | None = None
    fate: str | None = None
    service: str | None = None
    sees: Callable[[str], bool] | None = None

    @property
    def needs_services(self) -> bool:
        """Whether it cannot be said of an event before its CDEvents are recorded."""
        return self.service is not None or self.sees is not None

    def fits(self, told: Recording) -> bool:
        """Whether the listener hears of it."""
        return (
            (self.source is None or told.source == self.source)
            and (self.type is None or told.type == self.type)
            and (self.fate is None or told.fate == self.fate)
            and (self.service is None or (told.services is not None and self.service in told.services))
            and (self.sees is None or self._may_hear(told, self.sees))
        )

    @staticmethod
    def _may_hear(told: Recording, sees: Callable[[str], bool]) -> bool:
        """As in ``/v1/events``: when each of its CDEvents belongs to a service that is seen."""
        services = told.services if told.is_whole else None
        return bool(services) and all(service is not None and sees(service) for service in services or ())


async def recordings(
    reading: Reading, behind: Position, generation: int, *, with_services: bool
) -> list[Recording]:
    """The next ``PAGE`` events behind a position, in the order of recording."""
    rows = await reading.rows("recorded", *behind.place, PAGE)
    looked: dict[int, Row] = {}
    if with_services and rows:
        numbers = [row["event_id"] for row in rows]
        looked = {row["event_id"]: row for row in await reading.rows("services_of_recorded", numbers)}
    return [_recording(row, looked.get(row["event_id"]), generation) for row in rows]


def _recording(row: Row, looked: Row | None, generation: int) -> Recording:
    position = Position(row["recorded"], row["event_id"], generation)
    services = None if looked is None else sorted(looked["services"], key=lambda name: name or "")
    told = event(row) | {
        "services": services and [name for name in services if name is not None],
        "cdevents": [
            {**output, "url": event_path(output["source"], output["id"])}
            for output in orjson.loads(row["outputs"])
        ],
    }
    is_whole = looked is not None and looked["missing"] == 0
    return Recording(
        position,
        row["source"],
        row["type"],
        row["fate"],
        services,
        is_whole,
        message("cloudevent", told, position),
    )


def message(kind: str, told: Any, position: Position | None = None) -> bytes:
    """A server-sent event. JSON has no line breaks of its own, so that it is one line of data."""
    place = b"" if position is None else f"id: {position}\n".encode()
    return place + b"event: " + kind.encode() + b"\ndata: " + encode(told) + b"\n\n"

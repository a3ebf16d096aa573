"""What a transformer may answer. A closed union: nothing is ever dropped without one of these.

``Ignored`` is understood and deliberately not mapped; ``Unmapped`` is not understood, and its reason tells
the user what to change. Both reasons are shown to people beside the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.cdevents.event import Draft


@dataclass(frozen=True, slots=True, init=False)
class Mapped:
    """The event became these CDEvents, in this order."""

    drafts: tuple[Draft, ...]

    def __init__(self, *drafts: Draft) -> None:
        object.__setattr__(self, "drafts", drafts)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and nothing to tell."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Not understood."""

    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at an object of a stateful source; ``fold`` decides what it means.

    ``key`` is the object's uid: all observations of one object meet in one partition. ``facts`` is JSON.
    """

    key: str
    facts: Mapping[str, Any]


Settled = Mapped | Ignored | Unmapped
Outcome = Mapped | Ignored | Unmapped | Observed

"""How much of its topic a stored state follows from: of two states of a key the fuller one is kept. Pure.

Two workers can write the state of one key: one that was frozen, or cut off from the broker, while it wrote,
and the one that has its partition since. What the first sends arrives later and follows from less. Each state
is therefore stored with a position, the offset of the last record of its partition that it follows from.
States follow from the records alone, so one of a higher position is right whoever wrote it; it is neither
replaced by one of a lower position nor, at a recovery, by a later one. Among equal ones the later is taken.

Stored as the JSON list ``[position, state]``, the position first: it can be read without reading the state.
"""

from collections.abc import Callable
from typing import Any

NOWHERE = -1  # the position of a state that follows from no record


def stated(position: int, state: Any, known: int, end: int) -> list[Any] | None:
    """What is to be stored for a key whose state so far has the position ``known``; ``None``: leave that.

    A state that follows from more stays: beside it, states of other keys follow from it. ``end`` is the
    offset after the last record of the partition: a position that is not before it is of another topic, which
    had the name before, and only the order of writing tells then.
    """
    if known <= position:
        return [position, state]
    return [known, state] if known >= end else None


def position_of(stored: bytes | None) -> int:
    """The position of what is stored, ``NOWHERE`` of nothing. Raises ``ValueError`` for what is neither."""
    if stored is None:
        return NOWHERE
    if not stored.startswith(b"["):
        raise ValueError("no position")
    return int(stored[1 : stored.index(b",")])


def is_stated(value: object, is_state: Callable[[Any], bool]) -> bool:
    """Whether ``value``, read from JSON, has a position, and a state for which ``is_state`` holds."""
    match value:
        case [int() as position, state]:
            return position >= NOWHERE and is_state(state)
        case _:
            return False

"""A place in the order in which events were recorded. Pure.

``recorded`` is the transaction, ``event_id`` the row in it, ``generation`` the one that was active when the
place was told. As text, as in ``Last-Event-ID``, it is ``RECORDED-EVENT-GENERATION``.
"""

import re
from dataclasses import dataclass

TEXT = re.compile(r"([0-9]{1,18})-([0-9]{1,19})-([0-9]{1,9})", re.ASCII)
PATTERN = r"^[0-9]{1,18}-[0-9]{1,19}-[0-9]{1,9}$"
LAST_ROW = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """Behind this row."""

    recorded: int
    event_id: int
    generation: int = 0

    def __str__(self) -> str:
        return f"{self.recorded}-{self.event_id}-{self.generation}"

    @property
    def place(self) -> tuple[int, int]:
        """What is compared: the generation says nothing of the order."""
        return self.recorded, self.event_id


def read_position(text: str) -> Position:
    """The position that ``str`` wrote. Raises ``ValueError``."""
    match = TEXT.fullmatch(text)
    if match is None or int(match[2]) > LAST_ROW:
        raise ValueError("is no position: give the id of the last event, as the stream told it")
    return Position(int(match[1]), int(match[2]), int(match[3]))

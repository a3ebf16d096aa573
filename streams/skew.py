"""Times that cannot be: what tells of the future, or of a time before all sources, counts nowhere. Pure.

Whose clock is wrong cannot be known, and a window that was opened in the year 2199 is never looked at again.
The measure is when the broker received the event, which stays the same however often it is played again.
"""

from dataclasses import replace
from datetime import datetime

from schemas.instant import EARLIEST_YEAR, SKEW, parse_instant
from streams.router import Decision, Fate


def believed(decision: Decision, received: datetime) -> Decision:
    """``decision`` with a fate that is ``placeable``."""
    if decision.fate is None:
        return decision
    fate = placeable(decision.fate, received)
    return decision if fate is decision.fate else replace(decision, fate=fate)


def placeable(fate: Fate, received: datetime) -> Fate:
    """``fate``, or ``unmapped`` when one of its CDEvents tells a time that no window can hold."""
    for cdevent in fate.cdevents:
        if reason := fault_in(cdevent.timestamp, received):
            return replace(fate, fate="unmapped", reason=f"{cdevent.type}: {reason}", cdevents=())
    return fate


def fault_in(timestamp: str, received: datetime) -> str | None:
    """What keeps a time from being counted; ``None`` when nothing does."""
    try:
        instant = parse_instant(timestamp)
    except ValueError as error:
        return f"its time is {error}"
    if instant.year < EARLIEST_YEAR:
        return f"its time is before {EARLIEST_YEAR}; correct the clock that told it"
    if instant - SKEW > received:
        minutes = SKEW.seconds // 60
        return f"its time is over {minutes} minutes after its arrival; correct the clock that told it"
    return None

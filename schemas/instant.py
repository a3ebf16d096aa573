"""Instants: RFC 3339 text to an aware datetime, without surprises.

Python's own parser takes naive times and raises OverflowError near the ends of the calendar; a time that
cannot be placed exactly is refused here instead. Digits past microseconds are cut, for comparing; the text
itself is kept wherever it is stored.
"""

import re
from datetime import UTC, datetime

RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)


def parse_instant(text: str) -> datetime:
    """The instant that ``text`` names, in UTC. Raises ``ValueError`` when it names none."""
    match = RFC3339.match(text)
    if match is None:
        raise ValueError("not an RFC 3339 time with a zone")
    day, clock, fraction, offset = match.groups()
    leap = clock.endswith(":60")  # a leap second counts with the second before it
    clock = clock[:-2] + "59" if leap else clock
    zone = "+00:00" if offset in "Zz" else offset
    try:
        parsed = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("not a time of the calendar") from error


def instant_or(text: str | None, fallback: datetime) -> datetime:
    """The instant that ``text`` names, or ``fallback`` when there is none to be read."""
    if text is None:
        return fallback
    try:
        return parse_instant(text)
    except ValueError:
        return fallback


def microseconds_of(instant: datetime) -> int:
    """Microseconds since the epoch, exactly; ``timestamp()`` is a float and rounds far from the epoch."""
    delta = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def format_instant(instant: datetime) -> str:
    """RFC 3339 text in UTC, as short as the instant allows."""
    text = instant.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"

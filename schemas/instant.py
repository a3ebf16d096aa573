"""Instants: RFC 3339 text to an aware datetime, without surprises.

Python's own parser takes naive times and raises OverflowError near the ends of the calendar; a time that
cannot be placed exactly is refused here instead. Digits past microseconds are cut, for comparing; the text
itself is kept wherever it is stored.
"""

import re
from datetime import UTC, datetime, timedelta

RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)

# What nearly every tool writes, and Python reads as it is.
_PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)


def parse_instant(text: str) -> datetime:
    """The instant that ``text`` names, in UTC. Raises ``ValueError`` when it names none."""
    if _PLAIN.fullmatch(text) is not None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("not a time of the calendar") from None
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


# What a source tells outside of these years is a zero value or a broken clock, and no window should hold it.
EARLIEST_YEAR, LATEST_YEAR = 1990, 2200

# Clocks of machines that are kept by NTP differ by less. What is further in the future has not happened.
SKEW = timedelta(minutes=10)

_AS_SOURCES_WRITE = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt]| )(?P<clock>(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))"
    r"(?P<fraction>\.\d{1,30})? ?(?P<zone>[Zz]|UTC|GMT|[+-](?:[01]\d|2[0-3]):?[0-5]\d)",
    re.ASCII,
)
# Digits of a count since 1970 -> digits of its fraction of a second. Between 1990 and 2200 no two units meet.
_EPOCH_UNITS = {9: 0, 10: 0, 12: 3, 13: 3, 15: 6, 16: 6, 18: 9, 19: 9}


def instant_text(told: object) -> str:
    """RFC 3339 text of a time as sources write it, the same instant to the last digit.

    Text is RFC 3339, also with a space for the T, and with ``UTC``, ``GMT`` or ``+0200`` for the zone. An
    integer counts seconds, milliseconds, microseconds or nanoseconds since 1970. Raises ``ValueError`` for
    anything else, for a time without a zone, and outside of the years 1990 to 2200.
    """
    if isinstance(told, str):
        text = told if _PLAIN.fullmatch(told) else _rewritten(told)
    elif isinstance(told, int) and not isinstance(told, bool):
        text = _counted(told)
    else:
        raise ValueError("a time is text or a whole number")  # noqa: TRY004 - one error for all that is no time
    if not EARLIEST_YEAR <= parse_instant(text).year <= LATEST_YEAR:
        raise ValueError(f"a time outside of the years {EARLIEST_YEAR} to {LATEST_YEAR}")
    return text


def _rewritten(told: str) -> str:
    found = _AS_SOURCES_WRITE.fullmatch(told)
    if found is None:
        raise ValueError("not a time with a zone")
    day, clock, fraction, zone = found["day"], found["clock"], found["fraction"] or "", found["zone"]
    if clock.endswith(":60"):  # a leap second counts with the second before it
        clock = f"{clock[:-2]}59"
    if zone in ("z", "UTC", "GMT"):
        zone = "Z"
    elif len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{clock}{fraction}{zone}"


def _counted(told: int) -> str:
    digits = str(told) if 0 < told < 10**19 else ""
    if len(digits) not in _EPOCH_UNITS:
        raise ValueError("not a count of seconds, milliseconds, microseconds or nanoseconds since 1970")
    parts = _EPOCH_UNITS[len(digits)]
    seconds, fraction = divmod(told, 10**parts)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:0{parts}d}Z" if fraction else f"{whole}Z"

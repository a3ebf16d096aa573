"""Values as people read them. Pure."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["count", "duration", "instant", "percent", "quantity", "rate", "shortened"]

NOTHING = "\N{EN DASH}"
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units that say something: ``3 d 4 h``, ``12 min``, ``40 s``."""
    if seconds is None:
        return NOTHING
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    left, told = round(abs(seconds)), []
    for position, (size, name) in enumerate(UNITS):
        if left >= size:
            told = [(left // size, name)]
            if position + 1 < len(UNITS):
                smaller, smaller_name = UNITS[position + 1]
                told.append((left % size // smaller, smaller_name))
            break
    text = " ".join(f"{number} {name}" for number, name in told if number)
    return f"\N{MINUS SIGN}{text}" if seconds < 0 else text


def percent(ratio: float | None) -> str:
    """A ratio as a share of a hundred, with one decimal where there is one to tell."""
    if ratio is None:
        return NOTHING
    return f"{ratio * 100:.1f}".removesuffix(".0") + " %"


def rate(value: float | None) -> str:
    """A number of a few digits: ``0.04``, ``1.3``, ``128``."""
    if value is None:
        return NOTHING
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else count(round(value))


def count(number: int | None) -> str:
    """A whole number with its thousands apart."""
    return NOTHING if number is None else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def quantity(value: float | None, unit: str) -> str:
    """A metric's value in words, by the unit that its answer names."""
    if unit == "seconds":
        return duration(value)
    if unit == "ratio":
        return percent(value)
    return rate(value)


def instant(at: datetime | None, zone: ZoneInfo) -> Any:
    """A time to the minute, in ``zone``."""
    return NOTHING if at is None else at.astimezone(zone).strftime("%-d %b %Y, %H:%M")


def shortened(text: str, most: int = 80) -> str:
    """``text``, cut to ``most`` characters; where it leads to, all of it is to be read."""
    return text if len(text) <= most else f"{text[: most - 1]}…"

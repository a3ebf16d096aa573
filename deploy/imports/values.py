"""What stands in a cell, read as a report says it: times, outcomes, statuses, yes and no. Pure.

Each raises ``ValueError`` with what to do about it, without the name of the column.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instant import EARLIEST_YEAR, LATEST_YEAR, format_instant, instant_text, parse_instant
from schemas.repository import repository_of_remote

LONGEST_WORDS = 1000  # characters; schemas.report takes no more
NOTHING = {"", "\\N", "NULL"}  # an empty cell, and what MySQL and PostgreSQL write for one
LEFT_OUT = ""  # stands for what no report tells: a deployment that has not ended, or was called off

# After those of GitHub, GitLab, Jenkins, Azure DevOps, Octopus, Apache DevLake, and plain English.
OUTCOMES: dict[str, str] = {
    **dict.fromkeys(
        ("success", "successful", "succeeded", "ok", "passed", "deployed", "completed"), "success"
    ),
    **dict.fromkeys(("failure", "failed", "fail", "error", "unsuccessful"), "failure"),
    **dict.fromkeys(("rollback", "rolled back", "reverted"), "rollback"),
    **dict.fromkeys(("cancelled", "canceled", "aborted", "abort", "skipped", "manual"), LEFT_OUT),
    **dict.fromkeys(("pending", "queued", "running", "in progress"), LEFT_OUT),
}
INCIDENT_STATUSES: dict[str, str] = {
    **dict.fromkeys(
        ("opened", "open", "new", "triggered", "acknowledged", "firing", "in progress"), "opened"
    ),
    **dict.fromkeys(("resolved", "closed", "done", "fixed"), "resolved"),
}
# "closed" is not among them: GitHub calls merged changes closed, too.
CHANGE_STATUSES: dict[str, str] = {
    "merged": "merged",
    **dict.fromkeys(("opened", "open"), "opened"),
    **dict.fromkeys(("abandoned", "declined", "rejected"), "abandoned"),
}
WORDS = {"deployment": OUTCOMES, "incident": INCIDENT_STATUSES, "change": CHANGE_STATUSES}
TRUTHS: dict[str, bool] = {
    **dict.fromkeys(("true", "yes", "y", "1", "x"), True),
    **dict.fromkeys(("false", "no", "n", "0"), False),
}

ADVICE = 'write it as 2026-01-31T12:00:00Z, or say how it is written: --time-format "%d.%m.%Y %H:%M"'

_NAIVE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?))?", re.ASCII)
_NO_SECONDS = re.compile(r"(.*[T ]\d{2}:\d{2})( ?(?:[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}))", re.ASCII)


def text_of(cell: Any) -> str:
    """The text of a cell, trimmed; empty when there is nothing in it."""
    if isinstance(cell, (list, dict)):
        raise ValueError("holds a list or an object; write one text")  # noqa: TRY004 - of the user's file
    if isinstance(cell, bool):
        return str(cell).lower()
    text = "" if cell is None else str(cell).strip()
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("is not UTF-8; save the file as UTF-8, or name what it is in with --encoding")
    return "" if text in NOTHING else text


def folded(word: str) -> str:
    """A word as it is looked up: without case, with spaces for dashes and underscores."""
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())


def word_of(text: str, words: Mapping[str, str]) -> str:
    """What a word means by ``words``."""
    if (meaning := words.get(folded(text))) is None:
        known = ", ".join(dict.fromkeys(each for each in words.values() if each))
        raise ValueError(f'is {text[:100]!r}, none of {known}; say what it means: --word "{text[:100]}=..."')
    return meaning


def truth_of(text: str) -> bool:
    """Yes or no."""
    if (truth := TRUTHS.get(text.casefold())) is None:
        raise ValueError(f"is {text[:100]!r}; write true or false")
    return truth


def prose_of(text: str) -> str:
    """Text for people on one line, cut where a report would be too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…"


def repository_of(text: str) -> str:
    """owner/name, of an address too."""
    return repository_of_remote(text) or text


def instant_of(text: str, zone: tzinfo | None, form: str | None) -> str:
    """The instant as RFC 3339 text in UTC. A time without a zone is one of ``zone``.

    ``form`` is how times are written, as `datetime.strptime` reads it; without it RFC 3339, also with less in
    it, and seconds since 1970.
    """
    if form is not None:
        return _placed(_by(form, text), zone, text)
    if (found := _NAIVE.fullmatch(text)) is not None:
        return _placed(_naive(text, found[1], found[2] or "00:00"), zone, text)
    try:
        told = instant_text(int(text) if text.isdecimal() and text.isascii() else _with_seconds(text))
    except ValueError as error:
        raise ValueError(f"is {text[:100]!r}, {error}; {ADVICE}") from None
    return format_instant(parse_instant(told))


def _by(form: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - _placed looks for a zone
    except ValueError:
        raise ValueError(f"is {text[:100]!r}, which is not written as {form!r} says") from None


def _with_seconds(text: str) -> str:
    found = _NO_SECONDS.fullmatch(text)
    return text if found is None else f"{found[1]}:00{found[2]}"


def _naive(text: str, day: str, clock: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{day}T{_six_digits(clock)}")
    except ValueError:
        raise ValueError(f"is {text!r}, no time of the calendar; correct it") from None


def _six_digits(clock: str) -> str:
    whole, point, fraction = clock.partition(".")
    return f"{whole}{point}{fraction[:6]:0<6}" if point else whole


def _placed(read: datetime, zone: tzinfo | None, text: str) -> str:
    if not EARLIEST_YEAR <= read.year <= LATEST_YEAR:
        raise ValueError(
            f"is {text[:100]!r}, outside of the years {EARLIEST_YEAR} to {LATEST_YEAR}; correct it"
        )
    if read.tzinfo is None:
        if zone is None:
            raise ValueError(f"is {text[:100]!r}, without a zone; say which one: --timezone Europe/Berlin")
        read = _local(read, zone, text)
    return format_instant(read)


def _local(read: datetime, zone: tzinfo, text: str) -> datetime:
    """The one instant at which clocks of ``zone`` showed this."""
    early, late = (read.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early
    name = zone.key if isinstance(zone, ZoneInfo) else str(zone)
    shown = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == read
    told = "twice, when the clock was put back" if shown else "never, because the clock was put forward"
    raise ValueError(
        f"is {text!r}, which clocks in {name} showed {told}; write it with its offset, as +01:00"
    )

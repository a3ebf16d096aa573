"""Text that others chose and a CDEvent is to carry: names that can be sent and stored, times, words. Pure.

A CDEvent with a name that is too long or holds control characters would be refused only after it was made;
here the reason says which field it is.
"""

from typing import Any, TypeGuard

from schemas.cdevents.validate import shown
from schemas.cloudevents.syntax import is_text
from schemas.instant import instant_text
from streams.shapes import Unfit

LONGEST_NAME = 256  # characters, as customData.dora allows
LONGEST_WORDS = 256  # characters of a description or a reason; people read it beside many others


def is_plain(value: Any) -> TypeGuard[str]:
    """Whether ``value`` can name something at first sight, as nearly everything does that shall."""
    return (
        type(value) is str and 0 < len(value) <= LONGEST_NAME and value.isprintable() and not value.isspace()
    )


def name(value: Any, path: str) -> str:
    """``value``, which stands at ``path``, if it can name something. Raises ``Unfit`` if it cannot."""
    found = optional_name(value, path)
    if found is None:
        raise Unfit(f"no text in field {path!r}")
    return found


def optional_name(value: Any, path: str) -> str | None:
    """As ``name``, but ``None`` for what is missing, and for empty text, which means the same."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Unfit(f"field {path!r} is not text")
    if len(value) > LONGEST_NAME or not is_text(value) or not value.strip():
        raise Unfit(f"field {path!r} is no name: at most {LONGEST_NAME} characters, none of control")
    return value


def instant(value: Any, path: str) -> str:
    """The time that stands at ``path`` as RFC 3339 text. Raises ``Unfit`` for what no window could hold."""
    try:
        return instant_text(value)
    except ValueError as error:
        raise Unfit(f"field {path!r} is {error}") from None


def words(value: Any) -> str | None:
    """``value`` as one line for people to read; ``None`` when it is no text, or empty."""
    line = " ".join(value[: 4 * LONGEST_WORDS].split()) if isinstance(value, str) else ""
    return shown(line, LONGEST_WORDS) or None

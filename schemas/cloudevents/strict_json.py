"""JSON as strict as an envelope must be read: one meaning, or a refusal with a reason.

Refused: anything but UTF-8, a byte order mark, a name twice in one object, NaN, Infinity and numbers that
become infinite, lone surrogates, and nesting beyond ``DEEPEST``. ``CloudEvent.data`` is read like this too.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import orjson

from schemas.cloudevents.invalid import InvalidCloudEvent

# Levels of arrays and objects. Kubernetes objects, the deepest payloads that we know, stay below 30. Beyond
# some 900 levels Python's own parser would raise RecursionError; orjson, which comes first, refuses 1024.
DEEPEST = 128
DEEPEST_OF_ORJSON = 254  # levels that it writes

# Translated by this table, a run of 19 digits is 19 zeros: ten times faster to find than with a pattern.
_DIGITS_TO_ZERO = bytes(ord("0") if chr(byte).isdecimal() else 1 for byte in range(256))
_WIDE_NUMBER = b"0" * 19

_ESCAPED_COLON = re.compile(rb"\\u003[aA]")


def parse(text: bytes) -> Any:
    """The JSON value that ``text`` is. Raises ``InvalidCloudEvent``, and nothing else, for any bytes.

    Integers beyond 64 bits come back as floats: take exact payloads from the bytes, or ``parse_exactly``.
    """
    return _read(text)[0]


def _read(text: bytes) -> tuple[Any, bool]:
    """The value, and whether it is written as ``text`` again: then nothing was lost in parsing.

    Most of what tools send is as compact as that, and need not be looked through.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidCloudEvent(f"not valid JSON: {error}") from None
    # No more levels than brackets: most of what tools send has too few to be nested too deeply.
    is_shallow = text.count(b"{") + text.count(b"[") <= DEEPEST
    again = orjson.dumps(document) if is_shallow else _written(document)
    if again == text:
        return document, True
    if _may_repeat(text, again):
        json.loads(text, object_pairs_hook=_refuse_repeats)
    return document, False


def _written(document: Any) -> bytes:
    """Write what was parsed, inside so many lists that orjson gives up just where it is nested too deeply.

    To look for the deepest place would take as long as everything else that is done to a payload of 20 kB.
    """
    wrapped = document
    for _ in range(DEEPEST_OF_ORJSON - DEEPEST):
        wrapped = [wrapped]
    try:
        return orjson.dumps(wrapped)[DEEPEST_OF_ORJSON - DEEPEST : DEEPEST - DEEPEST_OF_ORJSON]
    except orjson.JSONEncodeError:
        raise InvalidCloudEvent(f"JSON nested deeper than {DEEPEST} levels") from None


def parse_exactly(text: bytes) -> Any:
    """As ``parse``, and refuses what would not come back as it was sent: integers beyond 64 bits."""
    document, is_same = _read(text)
    if not is_same and _WIDE_NUMBER in text.translate(_DIGITS_TO_ZERO):
        json.loads(text, parse_int=_narrow)
    return document


def _narrow(digits: str) -> None:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
        raise InvalidCloudEvent("JSON with an integer wider than 64 bits; send it as text")


def _may_repeat(text: bytes, again: bytes) -> bool:
    """Whether names may have been lost in parsing: every member has a colon, and so many must be left.

    Ten times faster than looking. A colon inside of a string stands on both sides, unless it was escaped.
    """
    return text.count(b":") != again.count(b":") or _ESCAPED_COLON.search(text) is not None


def _refuse_repeats(members: Sequence[tuple[str, Any]]) -> None:
    if len(dict(members)) != len(members):
        raise InvalidCloudEvent("JSON with the same name twice in one object")

"""The syntaxes that attribute values follow: text, URI, URI-reference, media type, time.

CloudEvents 1.0.2, spec.md, "Type System", and the RFCs that it names. Every pattern is possessive where it
repeats, so that no input makes matching slower than linear. The caches are bounded because senders choose
the values, and there because the same sources and media types come again and again.
"""

import re
from functools import lru_cache

from schemas.instant import parse_instant

# Control characters, surrogates and Unicode's noncharacters.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def _run(extra: str) -> str:
    """Any number of unreserved characters, sub-delims, ``extra`` and percent-encoded bytes."""
    allowed = rf"[A-Za-z0-9\-._~!$&'()*+,;={extra}]*+"
    return rf"{allowed}(?:%[0-9A-Fa-f]{{2}}{allowed})*+"


# RFC 3986, appendix A.
_HOST = rf"(?:\[[0-9A-Za-z:.\-_~!$&'()*+,;=]++\]|{_run('')})"
_AUTHORITY = rf"//(?:{_run(':')}@)?{_HOST}(?::[0-9]*+)?(?:/{_run(':@/')})?"
_HIERARCHY = rf"(?:{_AUTHORITY}|(?!//){_run(':@/')})"
_TAIL = rf"(?:\?{_run(':@/?')})?(?:\#{_run(':@/?')})?"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*+:{_HIERARCHY}{_TAIL}")
_RELATIVE = re.compile(rf"(?![^/?#:]*+:){_HIERARCHY}{_TAIL}")

# RFC 2046, as RFC 9110, section 8.3.1, writes it down.
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:[ \t]*+;[ \t]*+(?:{_WORD}=(?:{_WORD}|{_QUOTED}))?+)*+[ \t]*+")

# RFC 3339, section 5.6. parse_instant knows the calendar.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:(?:[0-5][0-9]|(?P<leap>60))(?:\.[0-9]++)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)

# (month, day, hour, minute) in UTC: leap seconds are put at the ends of June and December.
_LEAP_MINUTES = frozenset({(6, 30, 23, 59), (12, 31, 23, 59)})


def is_text(value: str) -> bool:
    """Whether ``value`` is a String of the type system: no control character, surrogate or noncharacter."""
    # Nearly every value is printable and skips the search; not all that is allowed is printable.
    return value.isprintable() or _FORBIDDEN.search(value) is None


@lru_cache(maxsize=1024)
def is_uri(value: str) -> bool:
    """Whether ``value`` is a URI with a scheme; a fragment may follow, as in references into JSON schemas."""
    return _URI.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def is_uri_reference(value: str) -> bool:
    """Whether ``value`` is a URI-reference, RFC 3986, section 4.1."""
    return (_URI.fullmatch(value) or _RELATIVE.fullmatch(value)) is not None


@lru_cache(maxsize=1024)
def is_media_type(value: str) -> bool:
    """Whether ``value`` is a media type with any parameters."""
    return _MEDIA_TYPE.fullmatch(value) is not None


def is_time(value: str) -> bool:
    """Whether ``value`` is an RFC 3339 date-time that can be placed between the years 1 and 9999."""
    match = _TIME.fullmatch(value)
    if match is None:
        return False
    try:
        instant = parse_instant(value)
    except ValueError:
        return False
    minute = (instant.month, instant.day, instant.hour, instant.minute)
    return match["leap"] is None or minute in _LEAP_MINUTES


def declares_json(content_type: str | None) -> bool:
    """Whether this media type declares JSON: ``*/json``, ``*/*+json``, or none (json-format.md, 3.1)."""
    if content_type is None:
        return True
    return content_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))

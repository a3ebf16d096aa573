"""The rules for context attributes: which are required, and what names and values may be.

CloudEvents 1.0.2, spec.md, "Context Attributes". Three rules are ours: a bound on the length of what
PostgreSQL indexes, one on their number, and a leniency for two producers that break the specification and are
worth having.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache

from schemas.cloudevents.event import Attribute, InvalidCloudEvent
from schemas.cloudevents.syntax import is_media_type, is_text, is_time, is_uri, is_uri_reference

SPECVERSION = "1.0"
REQUIRED = ("id", "source", "specversion", "type")

# UTF-8 bytes of id, source and type. PostgreSQL indexes them, and refuses long index entries.
LONGEST_INDEXED = 1024

# The JSON format uses these member names for the payload, so no attribute can have them.
RESERVED = frozenset({"data", "data_base64"})

# As many as an HTTP request here has headers. Each becomes a header of a Kafka record.
MOST_ATTRIBUTES = 100

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**31), 2**31 - 1

# Kubewatch sends `subject: ""` with every event of this type; for it alone that means "no subject".
KUBEWATCH_TYPE = "KUBERNETES_TOPOLOGY_CHANGE"

# Tekton builds sources from names of Kubernetes objects, which it does not percent-encode.
TEKTON_SOURCE = "/apis/"

_NAME = re.compile("[a-z0-9]+")


def check(attributes: MutableMapping[str, Attribute]) -> None:
    """Raise ``InvalidCloudEvent`` unless a CloudEvent may carry ``attributes``.

    Removes Kubewatch's empty ``subject``; changes nothing else.
    """
    if not all(map(attributes.get, REQUIRED)):
        _refuse_incomplete(attributes)
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidCloudEvent(f"an event has at most {MOST_ATTRIBUTES} attributes; the rest is data")
    if attributes.get("subject") == "" and attributes["type"] == KUBEWATCH_TYPE:
        del attributes["subject"]
    for name, value in attributes.items():
        rule = _RULES.get(name)
        if rule is None:
            _check_extension(name, value)
        else:
            # Nearly every value is printable text, and each event has many.
            is_plain = type(value) is str and value.isprintable()
            rule(name, value if is_plain else _checked_text(name, value))  # type: ignore[arg-type]


def canonical(value: Attribute) -> str:
    """The canonical string of a value: ``true`` or ``false``, decimal digits, or the text itself."""
    if isinstance(value, str):
        return value
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def shown(name: str) -> str:
    """A name that a stranger chose, fit for a log line and a problem document."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name[:40])


def _refuse_incomplete(attributes: Mapping[str, Attribute]) -> None:
    missing = [name for name in REQUIRED if name not in attributes]
    if missing:
        raise InvalidCloudEvent(f"required and missing: {', '.join(missing)}", missing[0])
    for name in REQUIRED:
        if not _checked_text(name, attributes[name]):
            raise InvalidCloudEvent(f"{name} must not be empty", name)


def _checked_text(name: str, value: Attribute) -> str:
    if type(value) is not str:
        raise InvalidCloudEvent(f"{name} must be a string", name)
    if not is_text(value):
        raise InvalidCloudEvent(f"{name} has a control character, a lone surrogate or a noncharacter", name)
    return value


def _check_extension(name: str, value: Attribute) -> None:
    if not _is_name(name):
        raise InvalidCloudEvent("attribute names consist of a-z and 0-9, and are not 'data'", shown(name))
    if type(value) is str:
        _checked_text(name, value)
    elif type(value) is int:
        if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            raise InvalidCloudEvent(f"{name} is beyond 32 bits; send it as a string", name)
    elif type(value) is not bool:
        raise InvalidCloudEvent(f"{name} must be a string, an integer or a boolean", name)


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in RESERVED


def _short(name: str, value: str) -> None:
    if len(value) > LONGEST_INDEXED // 4 and len(value.encode()) > LONGEST_INDEXED:
        raise InvalidCloudEvent(f"{name} is longer than {LONGEST_INDEXED} bytes", name)


def _uri_reference(name: str, value: str) -> None:
    _short(name, value)
    if not is_uri_reference(value) and not value.startswith(TEKTON_SOURCE):
        raise InvalidCloudEvent(
            f"{name} is not a URI-reference (RFC 3986); percent-encode its characters", name
        )


def _one_version(name: str, value: str) -> None:
    if value != SPECVERSION:
        raise InvalidCloudEvent(f"{name} must be {SPECVERSION}", name)


def _not_empty(name: str, value: str) -> None:
    if not value:
        raise InvalidCloudEvent(f"{name} must not be empty; leave it out instead", name)


def _time(name: str, value: str) -> None:
    if not is_time(value):
        raise InvalidCloudEvent(f"{name} must be RFC 3339 with a zone, as 2026-01-31T12:00:00Z", name)


def _media_type(name: str, value: str) -> None:
    if not is_media_type(value):
        raise InvalidCloudEvent(f"{name} is not a media type, as application/json", name)


def _uri(name: str, value: str) -> None:
    if not is_uri(value):
        raise InvalidCloudEvent(f"{name} must be an absolute URI", name)


_RULES: Mapping[str, Callable[[str, str], None]] = {
    "id": _short,
    "source": _uri_reference,
    "specversion": _one_version,
    "type": _short,
    "subject": _not_empty,
    "time": _time,
    "datacontenttype": _media_type,
    "dataschema": _uri,
}

"""The HTTP binding: requests and responses that carry CloudEvents (1.0.2, http-protocol-binding.md).

The mode goes by Content-Type alone (section 3): beside an envelope, ``ce-`` headers mean nothing. Nothing is
invented: a missing id or source is an error, because an invented one would defeat deduplication.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from schemas.cloudevents.attributes import canonical, check, shown
from schemas.cloudevents.event import Attribute, CloudEvent, InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.format import (
    BATCH_MEDIA_TYPE,
    MEDIA_TYPE,
    is_event_format,
    read_batch,
    read_event,
)

Header = tuple[bytes, bytes]

# Printable ASCII but space, quote and percent, which are percent-encoded (section 3.1.3.2).
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_ESCAPE = re.compile(r"\\(.)")
_BROKEN_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)


class Mode(StrEnum):
    """How a message carries events."""

    BINARY = "binary"
    STRUCTURED = "structured"
    BATCH = "batch"


class Message(NamedTuple):
    """What a message carried, in its order. Only a batch may hold another number of events than one."""

    mode: Mode
    events: list[CloudEvent]


def read_message(headers: Iterable[Header], body: bytes, largest_batch: int | None = None) -> Message:
    """The events of a request or response. ``headers`` are ASGI's: names in lower case, repeats kept.

    An empty body is no data. Raises ``InvalidCloudEvent``; its subclass ``UnsupportedFormat`` for an event
    format or charset that is not read, ``InvalidBatch`` and ``TooManyEvents`` for batches.
    """
    content_type: str | None = None
    attributes: list[Header] = []
    for header in headers:
        if header[0][:3] == b"ce-":
            attributes.append(header)
        elif header[0] == b"content-type":
            if content_type is not None:
                raise InvalidCloudEvent("header content-type is repeated", "datacontenttype")
            content_type = header[1].decode("latin-1").strip()
    if content_type and is_event_format(content_type):
        return _read_envelope(content_type, body, largest_batch)
    return Message(Mode.BINARY, [_read_binary(attributes, content_type, body)])


def is_utf8(content_type: str) -> bool:
    """Whether a media type leaves its text in UTF-8, by saying so or by saying nothing."""
    charset = _CHARSET.search(content_type)
    return charset is None or charset[1].lower() in ("utf-8", "utf8")


def write_binary(event: CloudEvent) -> tuple[list[tuple[str, str]], bytes]:
    """``event`` in binary mode: headers, and the data as the body."""
    headers = [
        (f"ce-{name}", quote(canonical(value), safe=_PLAIN))
        for name, value in event.attributes.items()
        if name != "datacontenttype"
    ]
    if event.content_type is not None:
        headers.append(("content-type", event.content_type))
    return headers, event.body or b""


def _read_envelope(content_type: str, body: bytes, largest_batch: int | None) -> Message:
    media_type = content_type.partition(";")[0].strip().lower()
    if not is_utf8(content_type):
        raise UnsupportedFormat("events are read in UTF-8 only")
    if media_type == MEDIA_TYPE:
        return Message(Mode.STRUCTURED, [read_event(body)])
    if media_type == BATCH_MEDIA_TYPE:
        return Message(Mode.BATCH, read_batch(body, largest_batch))
    raise UnsupportedFormat(f"this event format is not read; send {MEDIA_TYPE} or {BATCH_MEDIA_TYPE}")


def _read_binary(headers: list[Header], content_type: str | None, body: bytes) -> CloudEvent:
    if not headers:  # then it was meant to be an envelope, and does not say so
        raise UnsupportedFormat(
            "not a CloudEvent: send its attributes as ce- headers (required and missing: id, source,"
            f" specversion, type), or all of it with Content-Type: {MEDIA_TYPE}",
            "id",
        )
    attributes: dict[str, Attribute] = {}
    for header, value in headers:
        name = header[3:].decode("latin-1")
        if name in attributes:
            raise InvalidCloudEvent("a ce- header is repeated", shown(name))
        attributes[name] = _decode(name, value)
    if "datacontenttype" in attributes:
        raise InvalidCloudEvent("send Content-Type instead of ce-datacontenttype", "datacontenttype")
    if content_type:
        attributes["datacontenttype"] = content_type
    check(attributes)
    return CloudEvent(attributes, body or None)


def _decode(name: str, value: bytes) -> str:
    """Undo quoting, then exactly one round of percent-encoding (section 3.1.3.2)."""
    if not value.isascii():
        raise InvalidCloudEvent("header values are ASCII; percent-encode the UTF-8 of others", shown(name))
    text = value.decode("ascii").strip(" \t")
    if text[:1] == '"':
        if _QUOTED.fullmatch(text) is None:
            raise InvalidCloudEvent("a quoted header value does not end with its quote", shown(name))
        text = _ESCAPE.sub(r"\1", text[1:-1])
    return _undo_percent(name, text) if "%" in text else text


def _undo_percent(name: str, text: str) -> str:
    if _BROKEN_PERCENT.search(text):
        raise InvalidCloudEvent("a % in a header value is not followed by two hex digits", shown(name))
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise InvalidCloudEvent("a percent-encoded header value is not UTF-8", shown(name)) from None

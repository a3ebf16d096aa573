"""The Kafka binding: records that carry CloudEvents (1.0.2, kafka-protocol-binding.md).

Anybody may write to a topic, so reading never raises anything but ``InvalidCloudEvent``, whatever a record
holds. The record's key says nothing about the event and is not read (section 3.1).
"""

from collections.abc import Iterable

from schemas.cloudevents.attributes import canonical, check, shown
from schemas.cloudevents.event import Attribute, CloudEvent, InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.format import MEDIA_TYPE, is_event_format, read_event

Header = tuple[str, bytes | None]

_CONTENT_TYPE = "content-type"


def read_record(headers: Iterable[Header] | None, value: bytes | None) -> CloudEvent:
    """The event that a record carries, binary or structured by its ``content-type`` header.

    A null header is no header, and a null value no data. Raises ``InvalidCloudEvent`` for all that is no
    CloudEvent, and its subclass ``UnsupportedFormat`` for an event format that is not read.
    """
    content_type: str | None = None
    fields: list[tuple[str, bytes]] = []
    for name, raw in headers or ():
        if raw is None:
            continue
        if name[:3] == "ce_":
            fields.append((name[3:], raw))
        elif name == _CONTENT_TYPE or name.lower() == _CONTENT_TYPE:
            content_type = _only_content_type(raw, content_type)
    if is_event_format(content_type):
        return _read_envelope(content_type or "", value)
    return _read_binary(fields, content_type, value)


def write_binary(event: CloudEvent) -> tuple[list[tuple[str, bytes]], bytes | None]:
    """``event`` in binary mode: headers, and the data as the value, ``None`` without data."""
    headers = [
        (f"ce_{name}", canonical(value).encode())
        for name, value in event.attributes.items()
        if name != "datacontenttype"
    ]
    if event.content_type is not None:
        headers.append((_CONTENT_TYPE, event.content_type.encode()))
    return headers, event.body


def key_of(event: CloudEvent) -> bytes:
    """The key for a record: the ``partitionkey`` extension, else ``source`` directly followed by ``subject``.

    So the events of one subject keep their order. The event itself is not changed (section 3.1).
    """
    key = event.attributes.get("partitionkey")
    if key is None or key == "":
        return (event.source + (event.subject or "")).encode()
    return canonical(key).encode()


def _only_content_type(raw: bytes, earlier: str | None) -> str:
    try:
        content_type = raw.decode().strip()
    except UnicodeDecodeError:
        raise InvalidCloudEvent("the content-type header is not UTF-8", "datacontenttype") from None
    if earlier is not None and earlier != content_type:
        raise InvalidCloudEvent("two content-type headers differ", "datacontenttype")
    return content_type


def _read_envelope(content_type: str, value: bytes | None) -> CloudEvent:
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise UnsupportedFormat(f"this event format is not read; send {MEDIA_TYPE} or binary mode")
    if value is None:
        raise InvalidCloudEvent("a structured event with a null value")
    return read_event(value)


def _read_binary(
    fields: list[tuple[str, bytes]], content_type: str | None, value: bytes | None
) -> CloudEvent:
    if not fields:
        raise InvalidCloudEvent("not a CloudEvent: no ce_ headers, and content-type is no event format", "id")
    attributes: dict[str, Attribute] = {}
    for name, raw in fields:
        if name in attributes:
            raise InvalidCloudEvent("a ce_ header is repeated", shown(name))
        try:
            attributes[name] = raw.decode()
        except UnicodeDecodeError:
            raise InvalidCloudEvent("a header value is not UTF-8", shown(name)) from None
    if content_type and attributes.setdefault("datacontenttype", content_type) != content_type:
        raise InvalidCloudEvent("content-type and ce_datacontenttype differ", "datacontenttype")
    check(attributes)
    return CloudEvent(attributes, value)

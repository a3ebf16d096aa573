"""The JSON event format: one event, or a batch. CloudEvents 1.0.2, json-format.md.

The data of an event is cut out of the envelope as the very bytes that were sent, never parsed and written
again. A batch is read whole or refused whole.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from schemas.cloudevents import strict_json
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import Attribute, CloudEvent, InvalidCloudEvent
from schemas.cloudevents.syntax import declares_json

MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"

# The prefix decides (http-protocol-binding.md and kafka-protocol-binding.md, section 3).
_PREFIX = "application/cloudevents"

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


class InvalidBatch(InvalidCloudEvent):
    """An event of a batch is invalid; ``index`` counts from 0."""

    def __init__(self, index: int, cause: InvalidCloudEvent) -> None:
        super().__init__(f"event {index} of the batch: {cause.reason}", cause.attribute)
        self.index = index


class TooManyEvents(InvalidCloudEvent):
    """A batch of more events than the reader takes at once."""


def is_event_format(content_type: str | None) -> bool:
    """Whether this content type announces an envelope, of whatever format; else the mode is binary."""
    return content_type is not None and content_type[: len(_PREFIX)].lower() == _PREFIX


def read_event(envelope: bytes) -> CloudEvent:
    """The event that a JSON envelope holds. Raises ``InvalidCloudEvent``."""
    document = strict_json.parse(envelope)
    if not isinstance(document, dict):
        raise InvalidCloudEvent("an event is a JSON object")
    attributes: dict[str, Attribute] = {
        name: value
        for name, value in document.items()
        if value is not None and name != "data" and name != "data_base64"
    }
    check(attributes)
    body = _body_of(document, attributes, envelope)
    if body is not None:
        # An event without a content type means this one; every other binding has to say so.
        attributes.setdefault("datacontenttype", "application/json")
    return CloudEvent(attributes, body)


def read_batch(envelope: bytes, largest: int | None = None) -> list[CloudEvent]:
    """The events of a JSON batch, in their order; it may be empty.

    Raises ``InvalidBatch`` for the first invalid event, ``TooManyEvents`` beyond ``largest``.
    """
    elements = _elements_of(envelope)
    if largest is not None and len(elements) > largest:
        raise TooManyEvents(f"a batch has at most {largest} events; send several")
    events = []
    for index, element in enumerate(elements):
        try:
            events.append(read_event(bytes(element)))
        except InvalidCloudEvent as error:
            raise InvalidBatch(index, error) from error
    return events


def _elements_of(envelope: bytes) -> list[msgspec.Raw]:
    """The elements of a batch, cut out and not looked into: all parsed at once take ten times the memory."""
    try:
        return _elements.decode(envelope)
    except (msgspec.DecodeError, RecursionError):
        strict_json.parse(envelope)  # says what is wrong with it, where it is no JSON
        raise InvalidCloudEvent("a batch is a JSON array of events") from None


def _body_of(
    document: Mapping[str, Any], attributes: Mapping[str, Attribute], envelope: bytes
) -> bytes | None:
    encoded = document.get("data_base64")
    if "data" not in document:
        return None if encoded is None else _decode_base64(encoded)
    if encoded is not None:
        raise InvalidCloudEvent("an event has data or data_base64, never both", "data_base64")
    content_type = attributes.get("datacontenttype")
    if declares_json(None if content_type is None else str(content_type)):
        return bytes(_members.decode(envelope)["data"])
    if not isinstance(document["data"], str):
        raise InvalidCloudEvent(
            "data of this datacontenttype must be a string, or sent as data_base64", "data"
        )
    return document["data"].encode()


def _decode_base64(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise InvalidCloudEvent("data_base64 must be a string", "data_base64")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidCloudEvent("data_base64 is not base64 (RFC 4648, section 4)", "data_base64") from None


def write_event(event: CloudEvent) -> bytes:
    """``event`` as a JSON envelope. JSON data is embedded as it is; other data as text, or as base64."""
    return orjson.dumps({**event.attributes, **_data_members(event)})


def _data_members(event: CloudEvent) -> dict[str, Any]:
    if event.body is None:
        return {}
    if declares_json(event.content_type) and _is_strict(event.body):
        return {"data": orjson.Fragment(event.body)}
    if not declares_json(event.content_type):
        try:
            return {"data": event.body.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": base64.b64encode(event.body).decode()}


def _is_strict(body: bytes) -> bool:
    try:
        strict_json.parse(body)
    except InvalidCloudEvent:
        return False
    return True

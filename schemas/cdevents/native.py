"""CDEvents that others send us: read out of their CloudEvent, upgraded, validated, and fit to be stored.

The ingress refuses with, and the transformer answers Unmapped with, the reason given here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from schemas.cdevents.event import Draft
from schemas.cdevents.upgrade import Json, NotUpgradeable, upgrade
from schemas.cdevents.validate import errors_of
from schemas.cloudevents.attributes import LONGEST_INDEXED, check
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.strict_json import parse
from schemas.cloudevents.syntax import is_text

SHOWN_ERRORS = 3

# Translated by this table, a run of 19 digits is 19 zeros: ten times faster to find than with a pattern.
_DIGITS_TO_ZERO = bytes(ord("0") if chr(byte).isdecimal() else 1 for byte in range(256))
_WIDE_NUMBER = b"0" * 19


def read_native(event: CloudEvent) -> Json:
    """Return the CDEvent 0.5.1 that ``event`` carries as data. Raises ``InvalidCloudEvent`` with a reason.

    The types in the envelope and in the CDEvent must be equal, as cloudevents-binding.md demands, because
    routes go by the one and meaning by the other. Ids and sources may differ: a relay that wraps an event
    anew gives it an envelope of its own. The CDEvent's own are kept.
    """
    document = _parsed(event.body)
    context = document.get("context") if isinstance(document, dict) else None
    told = context.get("type") if isinstance(context, dict) else None
    if isinstance(told, str) and told != event.type:
        raise InvalidCloudEvent("context.type is not the type of the CloudEvent; send both the same", "type")
    return accept(document)


def accept(document: object) -> Json:
    """Upgrade and validate a CDEvent from outside. Raises ``InvalidCloudEvent`` saying what is wrong."""
    if not isinstance(document, dict):
        raise InvalidCloudEvent(f"not a CDEvent: {errors_of(document)[0]}")
    try:
        current = upgrade(document)
    except NotUpgradeable as error:
        raise InvalidCloudEvent(error.reason) from None
    if errors := errors_of(current):
        raise InvalidCloudEvent(f"not a valid CDEvent: {'; '.join(errors[:SHOWN_ERRORS])}")
    refuse_unsendable(current)
    return current


def draft_of(document: Json) -> Draft:
    """Wrap a complete CDEvent, so that it passes the router with its own id and source."""
    context, subject = document["context"], document["subject"]
    return Draft(
        type=context["type"],
        source=context["source"],
        subject_id=subject["id"],
        timestamp=context["timestamp"],
        document=document,
    )


def refuse_unsendable(document: Mapping[str, Any]) -> None:
    """Raise ``InvalidCloudEvent`` unless a valid CDEvent can be sent as a CloudEvent and stored as a row.

    Found later, what is refused here would hold up a worker.
    """
    context, subject = document["context"], document["subject"]
    attributes = {name: context[name] for name in ("id", "source", "type")}
    check({**attributes, "specversion": "1.0", "subject": subject["id"], "time": context["timestamp"]})
    for path, text in (*_names(subject), *_dora_texts(document)):
        if not is_text(text):
            raise InvalidCloudEvent(f"{path} has a control character or a noncharacter")
        if len(text.encode()) > LONGEST_INDEXED:
            raise InvalidCloudEvent(f"{path} is longer than {LONGEST_INDEXED} bytes")
    try:
        orjson.dumps(document)
    except orjson.JSONEncodeError:
        raise InvalidCloudEvent("the CDEvent is nested too deeply to be passed on") from None


def _names(subject: Json) -> Iterator[tuple[str, str]]:
    content = subject["content"]
    named = {
        "subject.id": subject["id"],
        "subject.source": subject.get("source"),
        "subject.content.artifactId": content.get("artifactId"),
    }
    for name in ("environment", "service", "repository"):
        value = content.get(name)
        named[f"subject.content.{name}.id"] = value.get("id") if isinstance(value, dict) else None
    yield from ((path, text) for path, text in named.items() if isinstance(text, str))


def _dora_texts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    custom = document.get("customData")
    dora = custom.get("dora") if isinstance(custom, dict) else None
    told = dora if isinstance(dora, dict) else {}
    yield from (
        (f"customData.dora.{name[:40]}", text) for name, text in told.items() if isinstance(text, str)
    )


def _parsed(body: bytes | None) -> Any:
    if body is None:
        raise InvalidCloudEvent("the CloudEvent has no data; send the CDEvent as its data")
    document = parse(body)
    if _WIDE_NUMBER in body.translate(_DIGITS_TO_ZERO):
        # An integer beyond 64 bits became a float, and a number changed in silence is worse than none.
        json.loads(body, parse_int=_narrow)
    return document


def _narrow(digits: str) -> Any:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
        raise InvalidCloudEvent("an integer is wider than 64 bits; send it as text")
    return None

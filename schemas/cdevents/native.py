"""CDEvents that others send us: read out of their CloudEvent, upgraded, validated, and fit to be stored.

The ingress refuses with, and the transformer answers Unmapped with, the reason given here.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from schemas.cdevents.event import Draft
from schemas.cdevents.upgrade import Json, NotUpgradeable, upgrade
from schemas.cdevents.validate import errors_of
from schemas.cloudevents.attributes import LONGEST_INDEXED, check
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.strict_json import parse_exactly
from schemas.cloudevents.syntax import is_text

SHOWN_ERRORS = 3
PLAIN_LENGTH = LONGEST_INDEXED // 4  # characters, which are no more bytes in UTF-8 than may be indexed

# Where the content of a subject refers to another subject by its id -> the member that does.
REFERENCES = {f"content.{name}.id": name for name in ("environment", "service", "repository")}


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
    for place, texts in (("subject", _names(subject)), ("customData.dora", _dora(document))):
        for name, text in texts.items():
            # Nearly all are, and an event has many of them.
            is_plain = not isinstance(text, str) or (len(text) <= PLAIN_LENGTH and text.isprintable())
            if not is_plain:
                _refuse_unstorable(text, place, name)
    try:
        orjson.dumps(document)
    except orjson.JSONEncodeError:
        raise InvalidCloudEvent("the CDEvent is nested too deeply to be passed on") from None


def _refuse_unstorable(text: str, place: str, name: str) -> None:
    if not is_text(text):
        raise InvalidCloudEvent(f"{place}.{name[:40]} has a control character or a noncharacter")
    if len(text) > PLAIN_LENGTH and len(text.encode()) > LONGEST_INDEXED:
        raise InvalidCloudEvent(f"{place}.{name[:40]} is longer than {LONGEST_INDEXED} bytes")


def _names(subject: Json) -> dict[str, Any]:
    content = subject["content"]
    named = {
        "id": subject["id"],
        "source": subject.get("source"),
        "content.artifactId": content.get("artifactId"),
    }
    for path, name in REFERENCES.items():
        value = content.get(name)
        if isinstance(value, dict):
            named[path] = value.get("id")
    return named


def _dora(document: Mapping[str, Any]) -> dict[str, Any]:
    custom = document.get("customData")
    dora = custom.get("dora") if isinstance(custom, dict) else None
    return dora if isinstance(dora, dict) else {}


def _parsed(body: bytes | None) -> Any:
    if body is None:
        raise InvalidCloudEvent("the CloudEvent has no data; send the CDEvent as its data")
    return parse_exactly(body)

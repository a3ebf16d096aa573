"""What a translation reads out of a payload for the attributes of its CloudEvent, whatever the payload is."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingress.webhooks.provider import WebhookRequest
from schemas.cloudevents import strict_json
from schemas.cloudevents.attributes import LONGEST_INDEXED, check
from schemas.cloudevents.event import Attribute, CloudEvent, InvalidCloudEvent
from schemas.cloudevents.syntax import is_text
from schemas.instant import format_instant, instant_text


def object_of(body: bytes) -> Mapping[str, Any]:
    """The JSON object that ``body`` is. Raises ``InvalidCloudEvent`` when it is none."""
    try:
        told = strict_json.parse(body)
    except InvalidCloudEvent as error:
        raise InvalidCloudEvent(f"the body is {error.reason}: send it as the provider does") from None
    if not isinstance(told, dict):
        raise InvalidCloudEvent("the body is not a JSON object; send it as the provider does")
    return told


def at(told: Any, path: str) -> Any:
    """What stands at a dotted path; ``None`` where nothing does."""
    for name in path.split("."):
        told = told.get(name) if isinstance(told, dict) else None
    return told


def text_at(told: Any, path: str) -> str | None:
    """Text that can be an attribute; ``None`` where there is none."""
    text = at(told, path)
    fit = isinstance(text, str) and 0 < len(text) <= LONGEST_INDEXED // 4 and is_text(text)
    return text if fit else None


def event_of(
    request: WebhookRequest,
    *,
    type_: str,
    source: str,
    id_: str | None = None,
    subject: str | None = None,
    time: Any = None,
) -> CloudEvent:
    """The CloudEvent that carries the body as it was sent.

    Without ``id_`` it has the digest of the body, so that what is sent again unchanged is the same event;
    without a readable ``time`` it happened when it was received.
    """
    attributes: dict[str, Attribute] = {
        "specversion": "1.0",
        "id": id_ or hashlib.sha256(request.body).hexdigest(),
        "source": source,
        "type": type_,
        "datacontenttype": "application/json",
        "time": _time(time, request.received),
    }
    if subject is not None:
        attributes["subject"] = subject
    check(attributes)
    return CloudEvent(attributes, request.body)


def _time(told: Any, received: float) -> str:
    try:
        return instant_text(told)
    except ValueError:
        return format_instant(datetime.fromtimestamp(received, UTC))

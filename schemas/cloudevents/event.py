"""One received CloudEvent: its context attributes, and its data as the very bytes that were sent.

The CloudEvents SDK is used to build the events that we send; it is not used to read, because it
invents missing ids and re-serialises payloads (docs/dependencies.md). Rules: CloudEvents 1.0.2, spec.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from schemas.cloudevents import strict_json
from schemas.cloudevents.invalid import InvalidCloudEvent, UnsupportedFormat
from schemas.instant import format_instant

__all__ = ["Attribute", "CloudEvent", "InvalidCloudEvent", "UnsupportedFormat"]

Attribute = str | int | bool


@dataclass(frozen=True)
class CloudEvent:
    """Context attributes by name, and ``body``, the data's bytes (``None``: the event has no data).

    ``attributes`` holds ``datacontenttype`` like any other attribute, and text exactly as received:
    ``time`` stays a string, so that no precision is lost.
    """

    attributes: Mapping[str, Attribute]
    body: bytes | None = None

    @property
    def id(self) -> str:
        """With ``source``, what the event is identified by (spec.md, "id")."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """The context in which the event happened, a URI-reference."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """What kind of event this is; routing goes by it."""
        return str(self.attributes["type"])

    @property
    def subject(self) -> str | None:
        """What the event is about, within ``source``."""
        return self._text("subject")

    @property
    def time(self) -> str | None:
        """When it happened, RFC 3339 text as received."""
        return self._text("time")

    @property
    def content_type(self) -> str | None:
        """The media type of ``body`` (``datacontenttype``)."""
        return self._text("datacontenttype")

    def with_time(self, otherwise: datetime) -> "CloudEvent":
        """The event itself, or a copy that happened at ``otherwise`` when it does not say when it did."""
        if self.time is not None:
            return self
        return CloudEvent({**self.attributes, "time": format_instant(otherwise)}, self.body)

    def release(self) -> None:
        """Let go of the parsed ``data``, which is read again when it is needed.

        It takes several times the memory of its bytes, and has the garbage collector look at every part of
        it again and again: with the data of 500 events in hand that cost as much as everything else.
        """
        if "data" in self.__dict__:
            _ = self.is_json
            del self.__dict__["data"]

    def _text(self, name: str) -> str | None:
        value = self.attributes.get(name)
        return None if value is None else str(value)

    @cached_property
    def is_json(self) -> bool:
        """Whether there is ``data``; known without it once it was asked for."""
        try:
            _ = self.data
        except InvalidCloudEvent:
            return False
        return self.body is not None

    @cached_property
    def data(self) -> Any:
        """``body`` parsed as JSON; ``None`` when the event has no data.

        Raises ``InvalidCloudEvent`` when the bytes are not JSON, or JSON that two readers could take for
        different things (strict_json).
        """
        if self.body is None:
            return None
        try:
            return strict_json.parse_exactly(self.body)
        except InvalidCloudEvent as error:
            # Without the position, which the parser may tell otherwise some day: reasons are stored.
            raise InvalidCloudEvent(f"data is {error.reason.partition(':')[0]}") from None

"""A provider of native webhooks: its way to authenticate, and to tell what happened.

A module of this package is found by being here and having a ``provider``. Both functions are pure: they get
the raw bytes, and a secret of the provider's from the settings, several while one is being replaced.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import is_utf8
from schemas.cloudevents.syntax import declares_json


class Unauthenticated(Exception):
    """The request does not prove that it comes from the provider. The answer never says why; the metric does.

    ``reason`` is one of a few words, for the metric: ``missing``, ``malformed``, ``mismatch``, ``stale``. All
    but ``mismatch`` hold whatever the body is, so that it need not be read.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as it arrived. ``headers`` by lower-case name; a header sent twice is not in it.

    ``received`` is the ingress's clock, seconds since the epoch: for signatures that expire, never for ids.
    """

    headers: Mapping[str, str]
    body: bytes
    received: float


FORM = "application/x-www-form-urlencoded"

Authenticate = Callable[[WebhookRequest, Sequence[bytes]], None]
Translate = Callable[[WebhookRequest], CloudEvent]


@dataclass(frozen=True, slots=True)
class Provider:
    """``authenticate`` raises ``Unauthenticated``; ``translate`` raises ``InvalidCloudEvent``.

    ``translate`` keeps the body's bytes as the event's data, and takes the provider's delivery id as the
    event's id, so that a redelivery is a duplicate. It gets bodies only that the provider ``reads``.
    """

    name: str
    authenticate: Authenticate
    translate: Translate
    forms: bool = False

    def reads(self, content_type: str | None) -> bool:
        """Whether a body of this type is read: JSON in UTF-8, and HTML forms from who sends ``forms``."""
        if content_type is None or not is_utf8(content_type):
            return False
        media_type = content_type.partition(";")[0].strip().lower()
        return declares_json(content_type) or (self.forms and media_type == FORM)


def matches_any(given: bytes, expected: Iterable[bytes]) -> bool:
    """Whether ``given`` equals one of ``expected``, in a time that does not tell which or how nearly."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(given, one)
    return found

"""A provider of native webhooks: its way to authenticate, and to tell what happened.

A module of this package is found by being here and having a ``provider``. Both functions are pure: they get
the raw bytes, and a secret of the provider's from the settings, several while one is being replaced.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.cloudevents.event import CloudEvent


class Unauthenticated(Exception):
    """The request does not prove that it comes from the provider. The answer never says why; the metric does.

    ``reason`` is one of a few words, for the metric: ``missing``, ``malformed``, ``mismatch``, ``stale``.
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


Authenticate = Callable[[WebhookRequest, Sequence[bytes]], None]
Translate = Callable[[WebhookRequest], CloudEvent]


@dataclass(frozen=True, slots=True)
class Provider:
    """``authenticate`` raises ``Unauthenticated``; ``translate`` raises ``InvalidCloudEvent``.

    ``translate`` keeps the body's bytes as the event's data, and takes the provider's delivery id as the
    event's id, so that a redelivery is a duplicate.
    """

    name: str
    authenticate: Authenticate
    translate: Translate


def matches_any(given: bytes, expected: Iterable[bytes]) -> bool:
    """Whether ``given`` equals one of ``expected``, in a time that does not tell which or how nearly."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(given, one)
    return found

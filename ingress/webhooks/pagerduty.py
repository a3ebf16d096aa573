"""PagerDuty's V3 web hooks (developer.pagerduty.com/docs/webhooks-overview, "Verifying Signatures").

Authentic is what carries, among those in ``X-PagerDuty-Signature``, an HMAC-SHA256 of the bytes that were
sent. PagerDuty switches a web hook off after a few answers that refuse, so anything authentic is taken.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from ingress.webhooks.payload import event_of, object_of, text_at
from ingress.webhooks.provider import Provider, Unauthenticated, WebhookRequest, matches_any
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.syntax import is_uri

MOST_SIGNATURES = 10  # one for each secret that is being replaced
SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)
EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*", re.ASCII)
NOWHERE = "https://api.pagerduty.com"  # a test of the web hook names no account


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By one of the signatures; there are several while a secret is being replaced."""
    told = request.headers.get("x-pagerduty-signature", "")
    if not told:
        raise Unauthenticated("missing")
    parts = told.split(",", MOST_SIGNATURES)
    found = [match[1] for part in parts if (match := SIGNATURE.fullmatch(part.strip(" ")))]
    if not found or len(parts) > MOST_SIGNATURES:
        raise Unauthenticated("malformed")
    expected = [hmac.digest(key, request.body, hashlib.sha256) for key in secrets if key.strip()]
    if not any(matches_any(bytes.fromhex(each), expected) for each in found):
        raise Unauthenticated("mismatch")


def translate(request: WebhookRequest) -> CloudEvent:
    """``com.pagerduty.<event_type>``, from the account's address, with PagerDuty's id of the event."""
    told = object_of(request.body)
    event = text_at(told, "event.event_type") or ""
    return event_of(
        request,
        type_=f"com.pagerduty.{event if EVENT.fullmatch(event) else 'unknown'}",
        source=_account(text_at(told, "event.data.html_url")),
        id_=text_at(told, "event.id"),
        subject=text_at(told, "event.data.id"),
        time=text_at(told, "event.occurred_at"),
    )


provider = Provider("pagerduty", authenticate, translate)


def _account(page: str | None) -> str:
    """The account that a page of its web site belongs to."""
    if page is None or not is_uri(page):
        return NOWHERE
    scheme, host, *_ = urlsplit(page)
    return f"{scheme}://{host}" if host else NOWHERE

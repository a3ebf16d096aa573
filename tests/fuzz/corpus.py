"""What is damaged: the requests and events of tests/fixtures and tests/sources, as they would be sent."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from functools import cache
from uuid import uuid4

from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.format import BATCH_MEDIA_TYPE, MEDIA_TYPE, write_event
from schemas.cloudevents.http import write_binary
from tests.sources import payloads
from tests.sources.evidence import cases

Header = tuple[bytes, bytes]

SECRET = b"fuzzing-is-no-secret"
# The providers that take a secret in the Authorization header, and those that sign.
BEARERS = ("alertmanager", "argocd", "generic", "harbor", "jenkins", "opsgenie", "kubewatch")
SIGNED = ("github", "gitlab", "pagerduty")
LARGEST = 30_000  # bytes; larger ones take the time of many and find the same


@dataclass(frozen=True)
class Request:
    """One HTTP request. Its length and, for a web hook, its proof are added when it is written."""

    path: bytes
    headers: tuple[Header, ...]
    body: bytes
    method: bytes = b"POST"

    def with_proof(self) -> "Request":
        """Authentic to the provider that it is for, however it was damaged before."""
        if not self.path.startswith(b"/webhooks/"):
            return self
        return replace(
            self, headers=(*self.headers, *proof(self.path.removeprefix(b"/webhooks/"), self.body))
        )

    def to_bytes(self) -> bytes:
        """The request on the wire."""
        lines = [self.method + b" " + self.path + b" HTTP/1.1", b"host: i"]
        lines += [name + b": " + value for name, value in self.headers]
        lines.append(b"content-length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"", self.body])


def proof(provider: bytes, body: bytes) -> tuple[Header, ...]:
    """The headers with which ``provider`` shows that it sent ``body``."""
    digest = hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()
    if provider == b"github":
        return ((b"x-hub-signature-256", b"sha256=" + digest),)
    if provider == b"gitlab":
        return ((b"x-gitlab-token", SECRET),)
    if provider == b"pagerduty":
        return ((b"x-pagerduty-signature", b"v1=" + digest),)
    return ((b"authorization", b"Bearer " + SECRET),)


@cache
def events() -> tuple[CloudEvent, ...]:
    """Every recorded event that is not huge: of all tools, and all evidence."""
    found = []
    for payload in payloads.payloads():
        try:
            found.append(payloads.event_of(payload))
        except (InvalidCloudEvent, LookupError):
            continue
    found += [event for case in cases() for event in case.events()]
    return tuple(event for event in found if event.body is not None and len(event.body) < LARGEST)


@cache
def requests() -> tuple[Request, ...]:
    """Every recorded request in each mode, web hooks as their providers send them, and hand-made ones."""
    found = [*web_hooks()]
    for event in events():
        headers, body = write_binary(event)
        found.append(Request(b"/", tuple((name.encode(), value.encode()) for name, value in headers), body))
        envelope = write_event(event)
        path = b"/cdevents" if event.type.startswith("dev.cdevents.") else b"/cloudevents"
        found.append(Request(path, ((b"content-type", MEDIA_TYPE.encode()),), envelope))
    small = [write_event(event) for event in events() if event.body is not None and len(event.body) < 3000]
    for start in range(0, len(small), 7):
        batch = b"[" + b",".join(small[start : start + 7]) + b"]"
        found.append(Request(b"/", ((b"content-type", BATCH_MEDIA_TYPE.encode()),), batch))
    handshake = ((b"webhook-request-origin", b"a.example.com"), (b"webhook-request-rate", b"10"))
    found += [Request(path, handshake, b"", b"OPTIONS") for path in (b"/", b"/cdevents", b"/cloudevents")]
    found += [Request(path, (), b"", b"GET") for path in (b"/readyz", b"/healthz", b"/openapi.json", b"/x")]
    return tuple(found)


def web_hooks() -> list[Request]:
    """The recorded deliveries of providers."""
    found = []
    for payload in payloads.payloads():
        provider = payloads.provider_of(payload.tool)
        names = {name.lower() for name, _ in payload.headers}
        if provider is None or "ce-id" in names or len(payload.body) > LARGEST:
            continue
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in payload.headers]
        if provider.name in payloads.DELIVERY_HEADERS:
            headers.append((payloads.DELIVERY_HEADERS[provider.name].encode(), str(uuid4()).encode()))
        headers = [each for each in headers if each[0].lower() not in PROOFS]
        found.append(Request(f"/webhooks/{provider.name}".encode(), tuple(headers), payload.body))
    return found


PROOFS = {b"x-hub-signature", b"x-hub-signature-256", b"x-gitlab-token", b"x-pagerduty-signature",
          b"authorization",
          b"content-length", b"host"}  # fmt: skip

"""Signatures of the Standard Webhooks specification, which GitLab's signing tokens follow, too.

Signed is ``<webhook-id>.<webhook-timestamp>.<body>``, by HMAC-SHA256 with the bytes that a secret has in
base64 after ``whsec_``. ``webhook-signature`` holds one or more of ``v1,<base64>``, with spaces between them.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence

from ingress.webhooks.provider import Unauthenticated, WebhookRequest, matches_any

SECRET_PREFIX = b"whsec_"
TOLERANCE = 300.0  # seconds, either way, that clocks may differ; the specification's own figure
MOST_SIGNATURES = 10  # a sender needs one for each secret that is being replaced

# A dot in the id would let two different requests have the same signed text.
_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


def verify(request: WebhookRequest, secrets: Iterable[bytes]) -> None:
    """Raise ``Unauthenticated`` unless one of ``secrets`` signed ``request``, and not long ago."""
    told = [
        request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    if not all(told):
        raise Unauthenticated("missing")
    identity, timestamp, signatures = told
    if not (_ID.fullmatch(identity) and _TIMESTAMP.fullmatch(timestamp)):
        raise Unauthenticated("malformed")
    given = _digests(signatures)
    if abs(request.received - int(timestamp)) > TOLERANCE:
        raise Unauthenticated("stale")
    signed = f"{identity}.{timestamp}.".encode() + request.body
    expected = [hmac.digest(key, signed, hashlib.sha256) for key in _keys(secrets)]
    if not any(matches_any(one, expected) for one in given):
        raise Unauthenticated("mismatch")


def _digests(signatures: str) -> Sequence[bytes]:
    parts = signatures.split(" ")
    if len(parts) > MOST_SIGNATURES:
        raise Unauthenticated("malformed")
    found = [part.removeprefix("v1,") for part in parts if part.startswith("v1,")]
    try:
        digests = [base64.b64decode(each, validate=True) for each in found]
    except ValueError:  # binascii.Error, and text that is not ASCII
        raise Unauthenticated("malformed") from None
    if not digests:
        raise Unauthenticated("malformed")
    return digests


def _keys(secrets: Iterable[bytes]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            continue  # no key can be made of it, so nothing is signed by it
        if key:
            yield key

"""A secret in the ``Authorization`` header, which is all that many providers can be made to send.

As a bearer token (RFC 6750), or as the password of basic authentication (RFC 7617) with any user name; a
secret that is written ``user:password`` asks for this very user.
"""

import base64
from collections.abc import Sequence

from ingress.webhooks.provider import Unauthenticated, WebhookRequest, matches_any


def verify(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """Raise ``Unauthenticated`` unless ``request`` carries one of ``secrets``."""
    told = request.headers.get("authorization", "")
    if not told:
        raise Unauthenticated("missing")
    scheme, _, credentials = told.partition(" ")
    usable = [secret for secret in secrets if secret.strip()]
    match scheme.lower():
        case "bearer":
            authentic = matches_any(_sent(credentials), usable)
        case "basic":
            authentic = _is_password(_decoded(credentials), usable)
        case _:
            raise Unauthenticated("malformed")
    if not authentic:
        raise Unauthenticated("mismatch")


def _is_password(pair: bytes, secrets: Sequence[bytes]) -> bool:
    password = pair.partition(b":")[2]
    with_user = [secret for secret in secrets if b":" in secret]
    alone = [secret for secret in secrets if b":" not in secret]
    # Both are compared whatever comes of the first.
    return matches_any(pair, with_user) | matches_any(password, alone)


def _decoded(credentials: str) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True)
    except ValueError:  # binascii.Error, and text that is not ASCII
        raise Unauthenticated("malformed") from None


def _sent(text: str) -> bytes:
    """The bytes of a header, which frameworks read as Latin-1."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Unauthenticated("malformed") from None

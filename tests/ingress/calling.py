"""Callers of the ingress for its tests: their tokens, what they send, and how strangers are answered."""

from collections.abc import Sequence
from typing import Any

from access.issuers import Issuer
from access.trust import TrustedIssuer
from ingress.callers import EVENTS, EVERYTHING, NOTHING, Callers, Federation, Subjects
from ingress.secrets import FixedSecrets
from tests.access.issuing import AUDIENCE, Answering
from tests.ingress.recording import Ingress

PATHS = ("/", "/cloudevents", "/cdevents")
SENDER = "sender-0123456789abcdef"
CORRECTOR = "corrector-0123456789abcdef"
TOKENS = Callers(
    NOTHING,
    [(FixedSecrets([SENDER.encode()]), EVENTS), (FixedSecrets([CORRECTOR.encode()]), EVERYTHING)],
)
EVENT = {"specversion": "1.0", "id": "1", "source": "/ci", "type": "com.example.deployed", "data": {"a": 1}}
STRUCTURED = {"content-type": "application/cloudevents+json"}
REFUSAL = {
    "type": "urn:dora:problem:unauthenticated",
    "title": "Not authenticated",
    "status": 401,
    "detail": "Send a valid token, as Authorization: Bearer TOKEN",
}


def trusting(issuer: Answering, senders: Sequence[str] = (), correctors: Sequence[str] = ()) -> Callers:
    known = Issuer(TrustedIssuer(issuer.url, (AUDIENCE,)))
    names = Subjects(tuple(senders)) if senders else None
    return Callers(NOTHING, [], Federation(known, names, Subjects(tuple(correctors))))


async def post(ingress: Ingress, token: str | None = None, path: str = "/cloudevents", **headers: str) -> Any:
    told = {} if token is None else {"authorization": f"Bearer {token}"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ingress.client.post(path, json=EVENT, headers=STRUCTURED | told | more)


def assert_refused(response: Any) -> None:
    """The one answer to everybody who is not authentic."""
    assert response.status_code == 401
    assert response.json() == REFUSAL
    assert response.headers["www-authenticate"] == 'Bearer realm="dora"'

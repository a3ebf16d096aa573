"""Who sends events, and what they may send.

A caller proves who it is by a bearer token (RFC 6750): one of ours, or one that a trusted issuer signed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from access.issuers import Issuer
from access.tokens import NotAuthentic
from ingress.secrets import Secrets, SecretsUnavailable
from ingress.webhooks.provider import matches_any
from schemas.cloudevents.event import CloudEvent
from schemas.corrections import is_correction

Header = tuple[bytes, bytes]


class Right(StrEnum):
    """What a caller may send."""

    EVENTS = "events"
    CORRECTIONS = "corrections"


NOTHING: frozenset[Right] = frozenset()
EVENTS = frozenset({Right.EVENTS})
EVERYTHING = frozenset(Right)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, as far as it matters here."""

    rights: frozenset[Right]

    def may_send(self, events: Iterable[CloudEvent]) -> bool:
        """Whether the caller may send all of ``events``."""
        return Right.CORRECTIONS in self.rights or not any(is_correction(event.type) for event in events)


# A provider's secret is for its deliveries, whatever types they have.
WEBHOOK_SENDER = Caller(EVENTS)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The subjects of an issuer's tokens that count; one that ends in ``*`` is a beginning."""

    names: tuple[str, ...]

    def __contains__(self, subject: object) -> bool:
        return isinstance(subject, str) and any(
            subject.startswith(name[:-1]) if name.endswith("*") else subject == name for name in self.names
        )


@dataclass(frozen=True, slots=True)
class Federation:
    """An issuer, and the rights of its subjects. ``senders`` ``None`` lets all of them send events."""

    issuer: Issuer
    senders: Subjects | None
    correctors: Subjects

    async def rights_of(self, token: str) -> frozenset[Right]:
        """The rights of the subject of ``token``. Raises ``NotAuthentic`` and ``IssuerUnavailable``."""
        subject = (await self.issuer.verify(token)).get("sub")
        if subject in self.correctors:
            return EVERYTHING
        if self.senders is None or subject in self.senders:
            return EVENTS
        raise NotAuthentic("subject")


@dataclass(frozen=True, slots=True)
class Callers:
    """All that may send. ``anonymous`` are the rights of who shows nothing."""

    anonymous: frozenset[Right] = NOTHING
    tokens: Sequence[tuple[Secrets, frozenset[Right]]] = ()
    federation: Federation | None = None

    @property
    def can_be_told_apart(self) -> bool:
        """Whether there is anything that a caller could prove who it is with."""
        return bool(self.tokens) or self.federation is not None

    def start(self) -> None:
        """Learn the issuer's keys, in the background."""
        if self.federation is not None:
            self.federation.issuer.prepare()

    async def stop(self) -> None:
        """End what is under way."""
        if self.federation is not None:
            await self.federation.issuer.close()

    async def identify(self, headers: Iterable[Header]) -> Caller:
        """Who sends a request with ``headers``.

        Where everybody may send, a token that nothing here could check is passed over: senders such as
        Knative bring one along. Where it can be checked, a wrong one is refused.

        Raises ``NotAuthentic``, and ``SecretsUnavailable`` or ``IssuerUnavailable`` when that cannot be said.
        """
        fields = list(headers)
        shown = [value for name, value in fields if name == b"authorization"]
        if self.anonymous and not (shown and self.can_be_told_apart):
            _refuse_pages(fields)
            return Caller(self.anonymous)
        return Caller(await self._rights_of(_token_in(shown)))

    async def _rights_of(self, token: bytes) -> frozenset[Right]:
        rights, unavailable = self._rights_of_own(token)
        if rights:
            return rights
        failure: Exception = NotAuthentic("mismatch")
        if self.federation is not None:
            try:
                return await self.federation.rights_of(token.decode("latin-1"))
            except NotAuthentic as error:
                failure = error
        raise unavailable or failure  # it may be in a list that cannot be read now

    def _rights_of_own(self, token: bytes) -> tuple[frozenset[Right], SecretsUnavailable | None]:
        """The rights of one of our own tokens. All are compared, whichever it is."""
        rights, unavailable = NOTHING, None
        for secrets, granted in self.tokens:
            try:
                if matches_any(token, secrets.current()):
                    rights |= granted
            except SecretsUnavailable as error:
                unavailable = error
        return rights, unavailable


def _refuse_pages(fields: Iterable[Header]) -> None:
    """Pages from elsewhere, in a browser of this machine, can reach what is open to it (DNS rebinding).

    Browsers say with each POST where the page is from; programs have nothing to say there.
    """
    if any(name == b"origin" for name, _ in fields):
        raise NotAuthentic("browser")


def _token_in(shown: Sequence[bytes]) -> bytes:
    if not shown:
        raise NotAuthentic("missing")
    scheme, _, token = shown[0].partition(b" ")
    if len(shown) > 1 or scheme.lower() != b"bearer" or not token.strip():
        raise NotAuthentic("malformed")
    return token.strip()

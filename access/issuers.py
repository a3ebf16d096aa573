"""Issuers of tokens: OpenID Connect providers, and Kubernetes clusters for their service accounts.

An issuer's public keys are asked for when they are needed first, kept, and asked for again in the background;
while it does not answer, the keys that are known go on. A token that names an unknown key makes us ask, but
once in ``COOLDOWN`` seconds at most, and all who wait share the answer: made-up tokens cannot turn us against
the issuer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from access.discovery import Unanswered, fetch_keys
from access.tokens import KeySet, NotAuthentic, claim_of, verify
from access.trust import TrustedIssuer

log = structlog.get_logger("access")

REFRESH = 300.0  # seconds; after this the keys are asked for again, so that withdrawn ones stop counting
EXPIRY = 24 * 3600.0  # seconds; older keys count for nothing: else blocking our way to the issuer keeps them
COOLDOWN = 10.0  # seconds between two attempts, whatever tokens come in the meantime
TIMEOUT = 3.0  # seconds for an attempt as a whole; a request that waits for it has a deadline


class IssuerUnavailable(Exception):
    """The keys of the issuer cannot be had now, so that nothing can be said of its tokens.

    ``retry_after`` is in seconds.
    """

    retry_after = int(COOLDOWN)


class Issuer:
    """Checks the tokens of one issuer. One per process and issuer: it holds the keys."""

    def __init__(
        self,
        trusted: TrustedIssuer,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trusted = trusted
        self._now, self._monotonic = now, monotonic
        self._keys: KeySet | None = None
        self._known_at = self._asked_at = -float("inf")
        self._asking: asyncio.Task[None] | None = None
        self._failed = False

    async def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of ``token``. Raises ``NotAuthentic`` and ``IssuerUnavailable``."""
        claim = claim_of(token)
        keys = await self._current_keys()
        key = keys.find(claim)
        if key is None and self._may_ask():
            await self._ask()
            key = (await self._current_keys()).find(claim)
        if key is None:
            if self._failed:
                raise IssuerUnavailable("it may have a new key, and does not answer")
            raise NotAuthentic("key")
        return verify(token, key, issuer=self.trusted.url, audiences=self.trusted.audiences, now=self._now())

    def prepare(self) -> None:
        """Ask for the keys in the background, so that the log tells at the start whether that works."""
        self._begin_to_ask()

    async def close(self) -> None:
        """End what is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _current_keys(self) -> KeySet:
        """The keys; waits only when there are none that count."""
        age = self._monotonic() - self._known_at
        if age > EXPIRY:
            self._keys = None
        if self._keys is None and self._may_ask():
            await self._ask()
        elif age > REFRESH and self._may_ask():
            self._begin_to_ask()
        if self._keys is None:
            raise IssuerUnavailable("none of its keys is known, and it does not answer")
        return self._keys

    def _may_ask(self) -> bool:
        return self._asking is not None or self._monotonic() - self._asked_at >= COOLDOWN

    async def _ask(self) -> None:
        # Shielded: a client that goes away must not end it for those who wait too.
        await asyncio.shield(self._begin_to_ask())

    def _begin_to_ask(self) -> asyncio.Task[None]:
        if self._asking is None:
            self._asked_at = self._monotonic()
            self._asking = asyncio.create_task(self._renew())
        return self._asking

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                self._keys = await fetch_keys(self.trusted)
        except (Unanswered, TimeoutError) as error:
            self._failed = True
            log.warning("issuer.unavailable", issuer=self.trusted.url, reason=str(error) or "timed out")
        else:
            self._known_at, self._failed = self._monotonic(), False
            log.info("issuer.keys", issuer=self.trusted.url, keys=len(list(self._keys)))
        finally:
            self._asked_at = self._monotonic()
            self._asking = None

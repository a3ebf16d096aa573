"""Holders of tokens: who they are, says an OpenID Connect issuer, and which teams they see, a claim."""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from access.issuers import IssuerUnavailable
from access.tokens import NotAuthentic
from query.authentication import NotAuthenticated
from query.callers import EVERYBODY, Caller
from query.problems import Forbidden, Unavailable

log = structlog.get_logger("query")


class Verifier(Protocol):
    """What is asked of an issuer."""

    async def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token. Raises ``NotAuthentic`` and ``IssuerUnavailable``."""
        ...

    async def close(self) -> None:
        """End what is under way."""
        ...


class TokenHolders:
    """The method of JWTs.

    ``teams_claim`` names the claim that holds the caller's teams, a text or a list of texts; without it every
    valid token sees everything. ``all_teams`` is a value in it that stands for every team.
    """

    def __init__(self, issuer: Verifier, teams_claim: str | None, all_teams: str | None) -> None:
        self._issuer = issuer
        self._teams_claim = teams_claim
        self._all_teams = all_teams

    def accepts(self, credential: str) -> bool:
        """Whether ``credential`` can be a JWT: whatever has two dots in it."""
        return credential.count(".") == 2

    async def caller(self, credential: str) -> Caller:
        """Who has the token. Raises ``NotAuthenticated``, ``Forbidden`` and ``Unavailable``."""
        try:
            claims = await self._issuer.verify(credential)
        except NotAuthentic as error:
            log.info("token.refused", reason=error.reason)
            raise NotAuthenticated("token") from error
        except IssuerUnavailable as error:
            raise Unavailable("The issuer of tokens cannot be asked for its keys now; try again.") from error
        if self._teams_claim is None:
            return EVERYBODY
        teams = _texts(claims.get(self._teams_claim))
        if self._all_teams is not None and self._all_teams in teams:
            return EVERYBODY
        if not teams:
            # The claim is missing, empty or of another shape. The caller is told what everybody is told who
            # may not; the log says which.
            log.warning("token.without_teams", claim=self._teams_claim)
            raise Forbidden
        return Caller(frozenset(teams), EVERYBODY.rights)

    async def close(self) -> None:
        """End what is under way with the issuer."""
        await self._issuer.close()


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str) and each]

"""The gate: who sends a request is asked before anything of its body is read.

Whoever fails learns only that, in the same words each time. A failure costs a comparison, or the check of a
signature, so that a flood of them keeps nobody out; and nobody is locked out for failures, because behind a
proxy all senders have one address.
"""

from fastapi import Request

from access.issuers import IssuerUnavailable
from access.tokens import NotAuthentic
from ingress.callers import Caller, Callers
from ingress.metrics import Metrics
from ingress.problems import UNAUTHENTICATED, UNCHECKABLE, Problem, retry
from ingress.secrets import SecretsUnavailable
from ingress.sparse_log import SparseLog

log = SparseLog()

LATER = 30  # seconds; somebody has to repair the file of tokens
CHALLENGE = {"www-authenticate": 'Bearer realm="dora"'}


class Gate:
    """Lets callers in, and counts how that went."""

    def __init__(self, callers: Callers, metrics: Metrics) -> None:
        self._callers = callers
        self._outcomes = metrics.callers

    async def admit(self, request: Request) -> Caller:
        """Who sends ``request``. Raises ``Problem``."""
        try:
            caller = await self._callers.identify(request.scope["headers"])
        except NotAuthentic as error:
            self._outcomes.labels(error.reason).inc()
            detail = "Send a valid token, as Authorization: Bearer TOKEN"
            raise Problem(UNAUTHENTICATED, detail, headers=CHALLENGE) from None
        except (SecretsUnavailable, IssuerUnavailable) as error:
            self._outcomes.labels("unavailable").inc()
            log.warning("caller.uncheckable", reason=str(error))
            seconds = error.retry_after if isinstance(error, IssuerUnavailable) else LATER
            raise retry(UNCHECKABLE, "The ingress cannot check who sends this", seconds) from None
        self._outcomes.labels("admitted").inc()
        return caller

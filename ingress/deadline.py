"""How long a request may take, from its first byte to its answer.

GitHub and GitLab hang up after ten seconds and take that for a failure. Whatever a request waits for, its own
bytes included, comes out of one budget, so that the waits cannot add up to more.
"""

import asyncio

from starlette.types import Scope

# In the scope of a request: when its first byte arrived, by the event loop's clock.
BEGAN = "ingress.began"

ANSWER_SECONDS = 7.5
# What a request that was slow to arrive still has for Kafka; arriving is bounded by ``body_timeout``.
LEAST_FOR_KAFKA = 2.0


def begin(scope: Scope) -> None:
    """Let the request begin now, unless the connection has said when it did."""
    scope.setdefault(BEGAN, asyncio.get_running_loop().time())


def elapsed(scope: Scope) -> float:
    """Seconds since the first byte."""
    return float(asyncio.get_running_loop().time() - scope[BEGAN])


def for_arrival(scope: Scope, most: float) -> float:
    """Seconds that are left of the ``most`` in which head and body have to arrive."""
    return max(0.0, most - elapsed(scope))


def for_kafka(scope: Scope, most: float) -> float:
    """Seconds in which Kafka has to confirm: ``most``, or what is left until the answer is due."""
    return min(most, max(LEAST_FOR_KAFKA, ANSWER_SECONDS - elapsed(scope)))

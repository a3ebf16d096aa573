"""Plays the sample events through the ingress, and waits until they are handled."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import httpx
import orjson

from deploy.samples.history import Event, events

BATCH = 20  # events in a request
AT_ONCE = 8  # requests under way
TRIES = 20  # of a request that is answered with 503
PATIENCE = 120.0  # seconds until the worker must have handled what was played
QUIET = 3  # looks in a row at which nothing is left to do


class PlayError(Exception):
    """The samples could not be played to the end."""


def play(ingress: str, until: datetime, advance: Callable[[int], None]) -> int:
    """Send three months of events up to ``until``; ``advance`` is told how many were acknowledged."""
    return asyncio.run(_play(ingress, list(events(until)), advance))


async def _play(ingress: str, played: Sequence[Event], advance: Callable[[int], None]) -> int:
    slots = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=ingress, timeout=15, trust_env=False) as client:

        async def send(group: Sequence[Event]) -> None:
            async with slots:
                await post(client, [event.structured for event in group])
                advance(len(group))

        await asyncio.gather(*(send(group) for group in _groups(played)))
    return len(played)


def _groups(played: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return [played[start : start + BATCH] for start in range(0, len(played), BATCH)]


async def post(client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
    """Send one batch until it is acknowledged. Raises ``PlayError`` when it is refused."""
    headers = {"content-type": "application/cloudevents-batch+json"}
    for _ in range(TRIES):
        try:
            answer = await client.post("/cloudevents", headers=headers, content=orjson.dumps(batch))
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise PlayError(f"the ingress at {client.base_url} cannot be reached: {reason}") from error
        if answer.status_code == httpx.codes.ACCEPTED:
            return
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            raise PlayError(_refusal(answer))
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
    raise PlayError("the ingress does not get through to Kafka; see its log")


def _refusal(answer: httpx.Response) -> str:
    """Why the samples were not taken, and what to do about it."""
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return (
            f"the ingress asks who sends ({answer.status_code}), and the samples have no token; "
            "play them in an installation of their own, with ./dora demo in a new folder"
        )
    return f"the ingress refused the samples: {answer.status_code} {answer.text[:300]}"


def wait_until_handled(workers: Sequence[str]) -> None:
    """Return when no worker has anything left to do."""
    deadline, quiet = time.monotonic() + PATIENCE, 0
    with httpx.Client(timeout=5, trust_env=False) as client:
        while quiet < QUIET:
            lags = [client.get(f"{url}/healthz").json()["lag"] for url in workers]
            idle = all(lags) and not any(records for lag in lags for records in lag.values())
            quiet = quiet + 1 if idle else 0
            if time.monotonic() > deadline:
                raise PlayError("the worker has not handled the samples yet; see its log")
            time.sleep(0.4)

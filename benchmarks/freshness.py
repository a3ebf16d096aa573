"""Freshness: seconds from posting a deployment until the answer counts it.

One event a request, at a steady rate, of several services, while the answer of ``/deploy-frequency/day`` is
read without pause. The n-th posted event is taken as fresh when the answer first counts n deployments: it
can only be visible earlier than that, so the figures are upper bounds, to within one read of the answer.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import orjson

from benchmarks.measurement import Benchmark, Figure, Options
from deploy.supervisor import Instance

SERVICES = 10
DEPLOYED = "dev.cdevents.service.deployed.0.3.0"
DRAIN = 30.0  # seconds to wait for the last events
READ_PAUSE = 0.01  # seconds between reads of the answer, so that reading does not slow what it measures


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds for each posted event, in the order of posting; ``refused`` were not acknowledged."""

    seconds: list[float]
    refused: int

    def percentile(self, share: float) -> float:
        """The value below which ``share`` (0 to 1) of the events are."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(ingress: str, query: str, *, rate: float, duration: float) -> Freshness:
    """Post ``rate`` events a second for ``duration`` seconds and watch them appear."""
    run = uuid4().hex[:8]
    total = int(rate * duration)
    posted: list[float] = []
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(timeout=15, limits=limits, trust_env=False) as client:
        before = await counted(client, query)
        watcher = asyncio.create_task(watch(client, query, before, total))
        begun, tasks = time.perf_counter(), []
        for number in range(total):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            posted.append(time.perf_counter())
            tasks.append(asyncio.create_task(post(client, ingress, run, number)))
        refused = sum([not await task for task in tasks])
        seen = await watcher
    return Freshness([at - start for start, at in zip(posted, seen, strict=False)], refused)


async def watch(client: httpx.AsyncClient, query: str, before: int, total: int) -> list[float]:
    """The moments at which the answer first counted 1, 2, ... ``total`` new deployments."""
    seen: list[float] = []
    last_moved = time.perf_counter()
    while len(seen) < total and time.perf_counter() - last_moved < DRAIN:
        found = await counted(client, query) - before
        now = time.perf_counter()
        if found > len(seen):
            seen.extend([now] * (found - len(seen)))
            last_moved = now
        await asyncio.sleep(READ_PAUSE)
    return seen


async def counted(client: httpx.AsyncClient, query: str) -> int:
    """All deployments that today's answer counts."""
    answer = await client.get(f"{query}/deploy-frequency/day")
    return sum(row["Deployments"] for row in answer.raise_for_status().json())


async def post(client: httpx.AsyncClient, ingress: str, run: str, number: int) -> bool:
    """Post one deployment of this moment; whether it was acknowledged."""
    at = (datetime.now(UTC) - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    id_ = f"{run}-{number}"
    document = {
        "context": {"specversion": "0.5.1", "id": id_, "source": "/bench", "type": DEPLOYED, "timestamp": at},
        "subject": {
            "id": f"bench-{number % SERVICES}",
            "content": {"environment": {"id": "production"}, "artifactId": f"pkg:oci/bench@{id_}"},
        },
        "customData": {"padding": "x" * 1500},
    }
    headers = {
        "ce-specversion": "1.0",
        "ce-id": id_,
        "ce-source": "/bench",
        "ce-type": DEPLOYED,
        "content-type": "application/json",
    }
    try:
        answer = await client.post(f"{ingress}/cloudevents", headers=headers, content=orjson.dumps(document))
    except httpx.HTTPError:
        return False  # not acknowledged in time, which a machine with much else to do may come to
    return answer.status_code == httpx.codes.ACCEPTED


def run(options: Options) -> Sequence[Figure]:
    """``further`` may hold ``rate`` (events a second) and ``duration`` (seconds)."""
    rate = options.further.get("rate", 100.0)
    duration = options.further.get("duration", options.sized(30, 10))
    with Instance(options.folder / "freshness", quick=False) as instance:
        urls = instance.ingress.url, instance.query.url
        options.say("freshness: warming up for 10 s")
        asyncio.run(measure(*urls, rate=rate, duration=10))
        options.say(f"freshness: posting {rate:g} events a second for {duration:g} s")
        told = asyncio.run(measure(*urls, rate=rate, duration=duration))
    if told.refused or len(told.seconds) < int(rate * duration):
        raise RuntimeError(f"{told.refused} events were refused, {len(told.seconds)} became visible")
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}
    return [
        Figure(f"freshness {name} at {rate:g}/s", "ms", [told.percentile(share) * 1000])
        for name, share in shares.items()
    ]


BENCHMARK = Benchmark("freshness", "from a POST to an answer, at a rate of your choice", run, quick=False)

"""From HTTP to the number: events a second that are posted, recorded and counted, on one machine.

The clock runs from the first POST until the answer counts every deployment and the worker has nothing left.
"""

import asyncio
import time
from collections.abc import Sequence

from benchmarks import freshness
from benchmarks.http_load import request_of
from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.mix import Event, make_batches, make_events
from benchmarks.pipeline import deployments_of, load, pipeline, wait_counted
from deploy.supervisor import Instance

BATCH = 100
RATE = 200
BATCH_HEADERS = {"content-type": "application/cloudevents-batch+json"}


def run(options: Options) -> Sequence[Figure]:
    """Singles, batches, then freshness at a steady rate."""
    number = options.events(20_000, 3_000)
    rounds = range(options.sized(min(options.rounds, 3), 1))
    with pipeline(options.folder / "end-to-end") as instance:
        warm = make_events(options.sized(2_000, 500), "warm")
        _, total = _through(instance, _singles(instance, warm), warm, 0)
        singles, batches = [], []
        for each in rounds:
            options.say(f"end-to-end: round {each + 1} of {len(rounds)}")
            events = make_events(number, f"singles-{each}", seed=each)
            rate, total = _through(instance, _singles(instance, events), events, total)
            singles.append(rate)
            events = make_events(number, f"batches-{each}", seed=100 + each)
            rate, total = _through(instance, _batches(instance, events), events, total)
            batches.append(rate)
        options.say(f"end-to-end: freshness at {RATE} events a second")
        fresh = asyncio.run(
            freshness.measure(
                instance.ingress.url, instance.query.url, rate=RATE, duration=options.sized(60, 8)
            )
        )
    return [
        Figure("from HTTP to the number, one event a request", "events/s", singles, Target(least=1000)),
        Figure(f"from HTTP to the number, batches of {BATCH}", "events/s", batches, Target(least=1500)),
        Figure(f"freshness p50 at {RATE}/s", "ms", [fresh.percentile(0.5) * 1000], Target(most=150)),
        Figure(f"freshness p99 at {RATE}/s", "ms", [fresh.percentile(0.99) * 1000], Target(most=1000)),
    ]


def _through(
    instance: Instance, requests: Sequence[bytes], events: Sequence[Event], before: int
) -> tuple[float, int]:
    """Events per second until all is counted, and the deployments counted by then."""
    total = before + deployments_of(events)
    began = time.perf_counter()
    load(instance, requests)
    wait_counted(instance, total)
    return len(events) / (time.perf_counter() - began), total


def _singles(instance: Instance, events: Sequence[Event]) -> list[bytes]:
    return [request_of(instance.ingress.url + "/", event.headers, event.body) for event in events]


def _batches(instance: Instance, events: Sequence[Event]) -> list[bytes]:
    return [
        request_of(instance.ingress.url + "/", BATCH_HEADERS, body) for body in make_batches(events, BATCH)
    ]


BENCHMARK = Benchmark("end-to-end", "from HTTP to the number, and how fresh it is", run)

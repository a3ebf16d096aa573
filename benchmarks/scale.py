"""One worker and two, and the pause of a rebalance.

Where the machine has no core left for a second worker, throughput cannot grow: then the processor time of an
event, with one worker and with two, says what a second one costs.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
import psutil

from benchmarks import freshness
from benchmarks.backlog import PARTITIONS, events_of
from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.pipeline import PATIENCE, lag, pipeline, produce, wait_members
from benchmarks.programs.running import processor_seconds
from deploy.supervisor import Instance

GROWTH = 1.7  # two workers over one, where each has cores of its own beside the broker and the database
CORES_FOR_TWO = 6


class Look(NamedTuple):
    """Records that are left, ``None`` while that is not known; when (monotonic seconds); and the processor
    seconds used by then."""

    left: int | None
    at: float
    used: float


def run(options: Options) -> Sequence[Figure]:
    """Each on a pipeline of its own."""
    return [*_growth(options), *_rebalance(options)]


def _growth(options: Options) -> list[Figure]:
    number = options.events(40_000, 8_000)
    rates, costs = {}, {}
    for workers in (1, 2):
        options.say(f"scale: {number} events, {workers} worker(s)")
        with pipeline(options.folder / f"scale-{workers}", workers=workers) as instance:
            rates[workers], costs[workers] = _work_off(instance, number, workers)
    has_cores = (os.cpu_count() or 1) >= CORES_FOR_TWO
    rate, cost = (Target(least=GROWTH), None) if has_cores else (None, Target(most=1 / (GROWTH / 2)))
    note = "" if has_cores else "no core is left for a second worker: its processor time tells"
    return [
        Figure("two workers / one, events per second", "ratio", [rates[2] / rates[1]], rate, note),
        Figure("two workers / one, processor time of an event", "ratio", [costs[2] / costs[1]], cost),
    ]


def _work_off(instance: Instance, number: int, workers: int) -> tuple[float, float]:
    """Records per second, and processor seconds of a record, from when all workers are ready."""
    names = [f"worker-{each}" for each in range(1, workers + 1)]
    for name in names:
        instance.kill(name)
    produce(instance.kafka.address, "cloudevents", events_of(number), PARTITIONS)
    for name in names:
        instance.restart(name)
    processes = [psutil.Process(instance.parts[name].process.pid) for name in names]
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=30, trust_env=False) as client:
        first = now = _look(client, instance, processes)
        while now.left != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("the workers did not get through")
            time.sleep(0.2)
            now = _look(client, instance, processes)
            first = now if first.left is None else first
    records = first.left or 0
    return records / (now.at - first.at), (now.used - first.used) / records


def _look(client: httpx.Client, instance: Instance, processes: Sequence[psutil.Process]) -> Look:
    return Look(lag(client, instance), time.monotonic(), sum(map(processor_seconds, processes)))


def _rebalance(options: Options) -> list[Figure]:
    with pipeline(options.folder / "rebalance", workers=2) as instance:
        options.say("scale: freshness while a worker is restarted")
        restarted = _longest(instance, lambda: _restart(instance))
        instance.parts["worker-2"].stop(15)
        # It keeps its name, so its partitions wait for it until its session is over.
        wait_members(instance, 1)
        options.say("scale: freshness while a worker joins")
        joined = _longest(instance, lambda: instance.restart("worker-2"))
    return [
        Figure("longest pause while a worker joins", "s", [joined], Target(most=5)),
        Figure(
            "longest pause while a worker is restarted",
            "s",
            [restarted],
            note="its partitions wait for it: nobody else takes them for DORA_SESSION_TIMEOUT",
        ),
    ]


def _restart(instance: Instance) -> None:
    instance.parts["worker-2"].stop(15)
    instance.restart("worker-2")


def _longest(instance: Instance, happens: Callable[[], None]) -> float:
    """The seconds from a POST to the answer that counts it, at most, while something ``happens``."""
    timer = threading.Timer(8, happens)
    timer.start()
    fresh = asyncio.run(freshness.measure(instance.ingress.url, instance.query.url, rate=50, duration=30))
    timer.join()
    if fresh.refused or not fresh.seconds:
        raise RuntimeError(f"{fresh.refused} events were refused, {len(fresh.seconds)} became visible")
    return max(fresh.seconds)


BENCHMARK = Benchmark("scale", "two workers, and the pause of a rebalance", run, quick=False)

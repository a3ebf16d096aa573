"""One worker and two; starting with much state; and the pause of a rebalance.

Where the machine has no core left for a second worker, throughput cannot grow: then the processor time of an
event, with one worker and with two, says what a second one costs.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Sequence

import httpx
import psutil

from benchmarks import freshness
from benchmarks.backlog import MADE_AT_ONCE, PARTITIONS, events_of
from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.mix import make_events
from benchmarks.pipeline import PATIENCE, lag, pipeline, produce
from benchmarks.programs.running import processor_seconds
from deploy.supervisor import Instance


def run(options: Options) -> Sequence[Figure]:
    """Each of the three on a pipeline of its own."""
    return [*_growth(options), *_start(options), *_rebalance(options)]


def _growth(options: Options) -> list[Figure]:
    number = options.sized(100_000, 10_000)
    rates, costs = {}, {}
    for workers in (1, 2):
        options.say(f"scale: {number} events, {workers} worker(s)")
        with pipeline(options.folder / f"scale-{workers}", workers=workers) as instance:
            rates[workers], costs[workers] = _work_off(instance, number, workers)
    return [
        Figure("two workers / one, events per second", "ratio", [rates[2] / rates[1]]),
        Figure("two workers / one, processor time of an event", "ratio", [costs[2] / costs[1]]),
    ]


def _work_off(instance: Instance, number: int, workers: int) -> tuple[float, float]:
    names = [f"worker-{each}" for each in range(1, workers + 1)]
    for name in names:
        instance.kill(name)
    produce(instance.kafka.address, "cloudevents", events_of(number), PARTITIONS)
    began = time.monotonic()
    for name in names:
        instance.restart(name)
    processes = [psutil.Process(instance.parts[name].process.pid) for name in names]
    _until_done(instance)
    return number / (time.monotonic() - began), sum(map(processor_seconds, processes)) / number


def _until_done(instance: Instance) -> None:
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=30, trust_env=False) as client:
        while lag(client, instance):
            if time.monotonic() > deadline:
                raise RuntimeError("the workers did not get through")
            time.sleep(0.2)


def _start(options: Options) -> list[Figure]:
    number = options.sized(1_000_000, 20_000)
    with pipeline(options.folder / "state") as instance:
        options.say(f"scale: a state of {number} deployments")
        for part in range(0, number, MADE_AT_ONCE):
            events = iter(make_events(MADE_AT_ONCE, f"state-{part}", seed=part, deployments=1.0))
            produce(instance.kafka.address, "cloudevents", events, PARTITIONS)
        _until_done(instance)
        kept = _seconds_to_start(instance)
        fresh = _seconds_to_start(instance, wipe=True)
    return [
        Figure(f"start with {number} deployments, kept disk", "s", [kept], Target(most=10)),
        Figure(f"start with {number} deployments, fresh disk", "s", [fresh], Target(most=90)),
    ]


def _seconds_to_start(instance: Instance, *, wipe: bool = False) -> float:
    """From the start of the process until it says that it is ready, which is after its tables are there."""
    instance.parts["worker-1"].stop(30)
    if wipe:
        shutil.rmtree(instance.folder.path / "state" / "worker-1")
    began = time.monotonic()
    instance.restart("worker-1")
    return time.monotonic() - began


def _rebalance(options: Options) -> list[Figure]:
    with pipeline(options.folder / "rebalance", workers=2) as instance:
        instance.parts["worker-2"].stop(15)
        timer = threading.Timer(8, lambda: instance.restart("worker-2"))
        timer.start()
        options.say("scale: freshness while a worker joins")
        urls = instance.ingress.url, instance.query.url
        fresh = asyncio.run(freshness.measure(*urls, rate=50, duration=25))
        timer.join()
    return [Figure("longest pause while a worker joins", "s", [max(fresh.seconds)], Target(most=5))]


BENCHMARK = Benchmark("scale", "two workers, starting with state, rebalancing", run, quick=False)

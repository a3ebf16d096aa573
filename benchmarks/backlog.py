"""A backlog worked off by one worker: what an event costs at its beginning and at its end, and the memory.

The events are on the topic before the worker starts. Cost is processor time of the worker per event.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

import httpx
import psutil

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.mix import Event, make_events
from benchmarks.pipeline import PATIENCE, lag, memory_of, pipeline, produce
from benchmarks.programs.running import processor_seconds
from deploy.supervisor import Instance

PARTITIONS = 8
TENTHS = 10
LOOK = 0.5  # seconds
MADE_AT_ONCE = 20_000

Look = tuple[int, float, float]  # records left, seconds, processor seconds


def run(options: Options) -> Sequence[Figure]:
    """One backlog, once: it is long enough to need no rounds."""
    number = options.events(1_000_000, 20_000)
    with pipeline(options.folder / "backlog") as instance:
        instance.kill("worker-1")
        options.say(f"backlog: writing {number} events")
        produce(instance.kafka.address, "cloudevents", events_of(number), PARTITIONS)
        instance.restart("worker-1")
        process = psutil.Process(instance.parts["worker-1"].process.pid)
        options.say("backlog: working it off")
        looks, most = _watch(instance, process, options)
    done = [(number - left, seconds, cost) for left, seconds, cost in looks]
    costs = [
        _cost(done, number * tenth // TENTHS, number * (tenth + 1) // TENTHS) for tenth in (0, TENTHS - 1)
    ]
    return [
        Figure(f"backlog of {number} events", "events/s", [number / (looks[-1][1] - looks[0][1])]),
        Figure("cost of an event, last tenth / first", "ratio", [costs[1] / costs[0]], Target(most=1.15)),
        Figure("worker's memory while it works", "MB", [most / 1e6], Target(most=400)),
    ]


def events_of(number: int) -> Iterator[Event]:
    """``number`` events, made some at a time."""
    for part in range(0, number, MADE_AT_ONCE):
        yield from islice(make_events(MADE_AT_ONCE, f"backlog-{part}", seed=part, first=part), number - part)


def _watch(instance: Instance, process: psutil.Process, options: Options) -> tuple[list[Look], int]:
    looks: list[Look] = []
    most, began = 0, time.monotonic()
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not looks or looks[-1][0]:
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError("the worker did not get through the backlog")
            time.sleep(LOOK)
            most = max(most, memory_of(process))
            left = lag(client, instance)
            if left is None:
                continue  # it is still starting
            looks.append((left, time.monotonic(), processor_seconds(process)))
            if len(looks) % 60 == 0:
                options.say(f"backlog: {looks[-1][0]} left")
    return looks, most


def _cost(done: Sequence[Look], start: int, end: int) -> float:
    """Processor seconds per record between two counts of records done."""
    inside = [each for each in done if start <= each[0] <= end]
    if len(inside) < 2 or inside[-1][0] == inside[0][0]:
        raise RuntimeError("too few looks for a tenth; measure a longer backlog")
    return (inside[-1][2] - inside[0][2]) / (inside[-1][0] - inside[0][0])


BENCHMARK = Benchmark("backlog", "a backlog worked off (--events): constant cost, memory", run, quick=False)

"""The ingress beside a bare handler that gives the same guarantee: 202 when Kafka has confirmed.

Both run as one process on the same broker, one after the other in each round, and get the same requests over
64 kept connections. Events per second of a core are taken from the processor time of the server alone,
because sender, server and broker share the machine's cores.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import uvloop

from access.kafka import Cluster
from benchmarks.http_load import Answers, request_of, send_all
from benchmarks.measurement import Benchmark, Figure, Options, Target, ratio
from benchmarks.mix import Event, make_batches, make_events, sizes_of
from benchmarks.programs.running import processor_seconds, running, wait_for
from deploy.embedded.kafka import Kafka
from deploy.kafka_topics import create
from deploy.server import Server
from schemas.topics import Topics

BATCH = 100
START = 60.0  # seconds
ACCEPTED = 202
BATCH_HEADERS = {"content-type": "application/cloudevents-batch+json"}


@dataclass(frozen=True, slots=True)
class Taken:
    """One load on one server."""

    answers: Answers
    events: int
    processor: float

    @property
    def wall(self) -> float:
        """Events per second."""
        return self.events / self.answers.elapsed

    @property
    def core(self) -> float:
        """Events per second that one core would take."""
        return self.events / self.processor


def run(options: Options) -> Sequence[Figure]:
    """Singles, batches, and the latency at half load."""
    singles = make_events(options.sized(20_000, 3_000), "singles")
    batched = make_events(options.sized(40_000, 10_000), "batched")
    kafka = Kafka(options.folder / "kafka", quick=False)
    kafka.start()
    try:
        asyncio.run(create(Cluster(kafka.address), Topics().all()))
        with _ours(kafka.address, options.folder) as ours, _bare(kafka.address, options.folder) as bare:
            servers = {"ours": ours, "bare": bare}
            taken = {name: [_singles(*server, singles[:2000])] for name, server in servers.items()}  # warm
            batches: dict[str, list[Taken]] = {name: [] for name in servers}
            for number in range(options.rounds):
                options.say(f"ingress: round {number + 1} of {options.rounds}")
                for name, server in servers.items():
                    taken[name].append(_singles(*server, singles))
                    batches[name].append(_batches(*server, batched))
            taken = {name: each[1:] for name, each in taken.items()}
            rate = median(each.wall for each in taken["ours"]) / 2
            halves: dict[str, list[Taken]] = {name: [] for name in servers}
            before = ours[1].memory_info().rss
            for number in range(options.rounds):
                options.say(f"ingress: half load, round {number + 1} of {options.rounds}")
                for name, server in servers.items():
                    halves[name].append(_singles(*server, singles, rate=rate))
            grown = ours[1].memory_info().rss - before
    finally:
        kafka.stop(10)
    return [*_figures(taken, batches, sizes_of(singles)), *_half(halves, grown)]


def _figures(
    singles: dict[str, list[Taken]], batches: dict[str, list[Taken]], sizes: tuple[int, int]
) -> list[Figure]:
    ours, bare = ([each.wall for each in singles[name]] for name in ("ours", "bare"))
    note = f"{sizes[0]} bytes median, {sizes[1]} bytes at the 95th percentile, 64 connections"
    return [
        Figure("one event a request", "events/s", ours, note=note),
        Figure(
            "one event a request, of one core",
            "events/s",
            [each.core for each in singles["ours"]],
            Target(least=3000),
        ),
        Figure("bare handler, one event a request", "events/s", bare),
        ratio("ingress / bare handler", ours, bare, 0.7),
        Figure(
            f"batches of {BATCH}", "events/s", [each.wall for each in batches["ours"]], Target(least=15_000)
        ),
        Figure(f"bare handler, batches of {BATCH}", "events/s", [each.wall for each in batches["bare"]]),
    ]


def _half(halves: dict[str, list[Taken]], grown: int) -> list[Figure]:
    half, most, bare = (
        [each.answers.percentile(share) * 1000 for each in halves[name]]
        for name, share in (("ours", 0.5), ("ours", 0.99), ("bare", 0.99))
    )
    return [
        Figure("p50 at half load", "ms", half),
        Figure("p99 at half load", "ms", most, Target(most=50)),
        Figure("bare handler, p99 at the same rate", "ms", bare),
        Figure("memory gained at half load", "MB", [max(0, grown) / 1e6], Target(most=20)),
    ]


def _singles(url: str, process: psutil.Process, events: Sequence[Event], rate: float = 0.0) -> Taken:
    requests = [request_of(url, event.headers, event.body) for event in events]
    return _take(url, process, requests, len(events), rate)


def _batches(url: str, process: psutil.Process, events: Sequence[Event]) -> Taken:
    requests = [request_of(url, BATCH_HEADERS, body) for body in make_batches(events, BATCH)]
    # At once no more events than the ingress takes (DORA_IN_FLIGHT_LIMIT).
    return _take(url, process, requests, len(events), 0.0, lines=32)


def _take(
    url: str, process: psutil.Process, requests: Sequence[bytes], events: int, rate: float, lines: int = 64
) -> Taken:
    before = processor_seconds(process)
    answers = uvloop.run(send_all(url, requests, connections=lines, rate=rate))
    if answers.statuses != {ACCEPTED: len(requests)}:
        raise RuntimeError(f"not everything was accepted: {dict(answers.statuses)}")
    return Taken(answers, events, processor_seconds(process) - before)


@contextmanager
def _ours(kafka: str, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    server = Server("ingress", "ingress", {"DORA_KAFKA": kafka}, logs=folder, run=folder)
    server.start()
    try:
        yield server.url + "/", psutil.Process(server.process.pid)
    finally:
        server.process.kill()


@contextmanager
def _bare(kafka: str, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    port = folder / "bare" / "port"
    environment = {"KAFKA": kafka, "TOPIC": "cloudevents", "PORT_FILE": str(port)}
    with running("benchmarks.programs.bare_ingress", port.parent, environment) as process:
        yield f"http://127.0.0.1:{int(wait_for(port, process, START))}/", process


BENCHMARK = Benchmark("ingress", "one event a request and batches, beside a bare handler", run)

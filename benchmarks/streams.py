"""The transform stage beside a bare loop with the same transform, and beside Faust as it comes.

All three read the same topic of 4 partitions from its beginning and write CDEvents to a topic of their own.
The bare loop and the stage confirm every send before they commit. Faust as its documentation has it does not,
and is faster for it; so it is measured both as it is, and with every send awaited, which gives the same
guarantee as the others.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer

from access.kafka import Cluster
from benchmarks.measurement import Benchmark, Figure, Options, ratio
from benchmarks.mix import Event, make_events, sizes_of
from benchmarks.programs.running import report_of
from deploy.embedded.kafka import Kafka
from deploy.kafka_topics import create
from schemas.topics import DAY_MS, LARGEST_RECORD, Topic

PARTITIONS = 4
PROGRAMS = {"bare": "bare_stream", "faust": "stock_faust", "confirmed": "stock_faust", "ours": "stage"}
YARDSTICKS = {"bare": "bare aiokafka loop", "faust": "stock Faust"}
SLOW = {"confirmed": 10}  # one send at a time: it gets a tenth of the events
PATIENCE = 600.0  # seconds for one program and round


def run(options: Options) -> Sequence[Figure]:
    """Events per second of wall time and of a core, round by round."""
    events = make_events(options.sized(40_000, 6_000), "streams")
    kafka = Kafka(options.folder / "kafka", quick=False)
    kafka.start()
    try:
        asyncio.run(_fill(kafka.address, events))
        rates: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
        for number in range(options.rounds):
            for name in PROGRAMS:
                options.say(f"streams: round {number + 1} of {options.rounds}, {name}")
                expected = len(events) // SLOW.get(name, 1)
                rates[name].append(_round(kafka.address, options.folder, f"{name}-{number}", expected))
    finally:
        kafka.stop(10)
    return _figures(rates, sizes_of(events))


def _round(kafka: str, folder: Path, run_name: str, expected: int) -> dict[str, float]:
    sink = f"sink-{run_name}"
    asyncio.run(create(Cluster(kafka), [_topic(sink), *_topics_of_stage(run_name)]))
    environment = {
        "KAFKA": kafka,
        "SOURCE": "events",
        "SINK": sink,
        "GROUP": f"bench-{run_name}",
        "EXPECTED": str(expected),
    }
    name = run_name.partition("-")[0]
    module = PROGRAMS[name]
    environment |= {"CONFIRMED": "yes"} if name == "confirmed" else {}
    report = report_of(f"benchmarks.programs.{module}", folder / run_name, environment, PATIENCE)
    return {"wall": report["events"] / report["seconds"], "core": report["events"] / report["processor"]}


def _figures(rates: dict[str, list[dict[str, float]]], sizes: tuple[int, int]) -> list[Figure]:
    ours, bare, faust, confirmed = (
        [each["wall"] for each in rates[name]] for name in ("ours", "bare", "faust", "confirmed")
    )
    cores = {name: [each["core"] for each in rates[name]] for name in PROGRAMS}
    note = f"{sizes[0]} bytes median, {sizes[1]} bytes at the 95th percentile, sends confirmed"
    return [
        Figure("transform stage", "events/s", ours, note=note),
        Figure("transform stage, of one core", "events/s", cores["ours"]),
        Figure("bare aiokafka loop", "events/s", bare, note="the same transform, sends confirmed"),
        Figure("stock Faust", "events/s", faust, note="events() and topic.send, sends not confirmed"),
        Figure("stock Faust, sends confirmed", "events/s", confirmed, note="each send awaited, as ours are"),
        ratio("transform stage / bare aiokafka loop", ours, bare, 0.45),
        ratio("transform stage / stock Faust, sends confirmed", ours, confirmed, 2.0),
        ratio("transform stage / stock Faust", ours, faust, 2.0),
        # On a machine that others use too, processor time is told apart better than time.
        *(_of_one_core(name, cores["ours"], cores[key]) for key, name in YARDSTICKS.items()),
    ]


def _of_one_core(yardstick: str, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    values = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Figure(f"transform stage / {yardstick}, of one core", "ratio", values)


def _topic(name: str) -> Topic:
    return Topic("cdevents", name, PARTITIONS, DAY_MS)


def _topics_of_stage(run_name: str) -> list[Topic]:
    return [_topic(f"bench-{run_name}-deadletters")] if run_name.startswith("ours") else []


async def _fill(kafka: str, events: Sequence[Event]) -> None:
    await create(Cluster(kafka), [_topic("events")])
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=LARGEST_RECORD)
    async with producer:
        pending = []
        for number, event in enumerate(events):
            headers = event.kafka_headers()
            pending.append(
                await producer.send("events", event.body, partition=number % PARTITIONS, headers=headers)
            )
        await asyncio.gather(*pending)


BENCHMARK = Benchmark("streams", "the transform stage, a bare aiokafka loop, and stock Faust", run)

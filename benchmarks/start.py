"""A worker's start with the state of a million deployments, on its kept disk and on a fresh one.

The state is made by the stage that has it, from CDEvents on its topic, so that tables and changelogs are what
they would be in life; making it through the whole pipeline would take ten times as long.
"""

import shutil
import time
from collections.abc import Iterator, Sequence

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.mix import make_events
from benchmarks.pipeline import Record, pipeline, produce_records, wait_members
from benchmarks.programs.running import running, wait_for
from deploy.provisioning import WORKER, role_dsn
from deploy.supervisor import Instance
from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import to_record
from schemas.cloudevents.kafka import read_record
from streams.facts import partition_key
from streams.records import GENERATION
from streams.router import Routes, decide
from streams.sources import find_sources

MADE_AT_ONCE = 20_000
SIZE = 600  # bytes at the median: what else is in an event is no part of the state
PATIENCE = 900.0  # seconds for making the state


def run(options: Options) -> Sequence[Figure]:
    """Make the state once, and start twice."""
    number = options.events(1_000_000, 20_000)
    with pipeline(options.folder / "start") as instance:
        instance.parts["worker-1"].stop(30)
        options.say(f"start: a state of {number} deployments")
        _make_state(instance, options, number)
        options.say("start: on the kept disk, and on a fresh one")
        kept, fresh = _seconds_to_start(instance), _seconds_to_start(instance, wipe=True)
    return [
        Figure(f"start with {number} deployments, kept disk", "s", [kept], Target(most=10)),
        Figure(f"start with {number} deployments, fresh disk", "s", [fresh], Target(most=90)),
    ]


def _make_state(instance: Instance, options: Options, number: int) -> None:
    report = options.folder / "counting" / "report"
    environment = {
        "EXPECTED": str(number),
        "REPORT": str(report),
        "DORA_KAFKA": instance.kafka.address,
        "DORA_POSTGRES": role_dsn(instance.postgres, WORKER),
        "DORA_STATE_DIR": str(instance.folder.path / "state" / "worker-1"),
        "DORA_SESSION_TIMEOUT": "10",
    }
    with running("benchmarks.programs.counting", report.parent, environment) as process:
        produce_records(instance.kafka.address, "cdevents", _cdevents(number))
        wait_for(report, process, PATIENCE)
    # The program ended without a word to the group, where nobody is let in until its session is over.
    wait_members(instance, 0)


def _cdevents(number: int) -> Iterator[Record]:
    routes, catalog = Routes(find_sources()), Catalog.empty()
    for part in range(0, number, MADE_AT_ONCE):
        made = make_events(min(MADE_AT_ONCE, number - part), f"state-{part}", part, 1.0, SIZE, first=part)
        for event in made:
            decision = decide(read_record(event.kafka_headers(), event.body), routes, catalog)
            for cdevent in decision.fate.cdevents if decision.fate else ():
                _, value, headers = to_record(cdevent, None)
                yield Record(partition_key(cdevent, catalog), value, [*headers, (GENERATION, b"1")])


def _seconds_to_start(instance: Instance, *, wipe: bool = False) -> float:
    """From the start of the process until it says that it is ready, which is after its tables are there."""
    instance.parts["worker-1"].stop(30)
    if wipe:
        shutil.rmtree(instance.folder.path / "state" / "worker-1")
    began = time.monotonic()
    instance.restart("worker-1")
    return time.monotonic() - began


BENCHMARK = Benchmark("start", "a worker's start with much state (--events)", run, quick=False)

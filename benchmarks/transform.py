"""Transform: what it costs one core to make valid CDEvents of an event, from the bytes of its record on.

Measured is what the worker does with a record before it publishes: read it as a CloudEvent, parse its JSON,
map it, derive ids, validate against the official schemas. Payloads are recorded ones, as compact as they are
sent; each copy is of another repository, so that what is remembered of names helps less than it does in life.
Time is processor time. Beside it stands what nobody could do without: parsing the same JSON, and validating
the same CDEvents.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from benchmarks.measurement import Benchmark, Figure, Options, Target
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cdevents.validate import errors_of
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.kafka import Header, read_record, write_binary
from streams.router import Routes, decide
from streams.sources import find_sources

MICROSECONDS = 1_000_000
NEAR_20_KB = range(18_000, 23_000)  # bytes, as they are sent
LIMIT = Target(most=100)  # µs for one event of 20 kB on one core

Record = tuple[list[Header], bytes]


@dataclass(frozen=True, slots=True)
class Sample:
    """An event that becomes CDEvents, and the source that maps it."""

    source: str
    kind: str
    event: CloudEvent
    cdevents: tuple[CDEvent, ...]

    @property
    def size(self) -> int:
        """Bytes of data."""
        return len(self.event.body or b"")

    def copies(self, number: int) -> list[Record]:
        """Records of events like this one, each of a repository of its own."""
        body = self.event.body or b""
        repository = (orjson.loads(body).get("repository") or {}).get("full_name", "").encode()
        headers, _ = write_binary(self.event)
        bodies = (body.replace(repository, b"%b-%d" % (repository, n)) for n in range(number))
        return [([*headers], each if repository else body) for each in bodies]


def run(options: Options) -> Sequence[Figure]:
    """Microseconds an event: GitHub's of near 20 kB with their yardstick, then the longest of each source."""
    routes, catalog = Routes(find_sources()), Catalog.empty()
    samples = list(_samples(routes, catalog))
    number = options.sized(500, 100)
    github = _one_of_each_kind(s for s in samples if s.source == "github" and s.size in NEAR_20_KB)
    told = (
        f"{', '.join(s.kind for s in github)}; {sum(s.size for s in github) // len(github)} bytes in the mean"
    )
    figures = [
        Figure("GitHub, 20 kB", "µs", _costs(github, number, options.rounds, routes, catalog), LIMIT, told),
        Figure(
            "GitHub, 20 kB: parsing and validation alone", "µs", _yardstick(github, number, options.rounds)
        ),
    ]
    for source in sorted({sample.source for sample in samples}):
        longest = max((s for s in samples if s.source == source), key=lambda s: s.size)
        costs = _costs([longest], number, options.rounds, routes, catalog)
        note = f"{longest.kind}, {longest.size} bytes, CDEvents: {len(longest.cdevents)}"
        figures.append(Figure(f"the longest of {source}", "µs", costs, note=note))
    return figures


BENCHMARK = Benchmark("transform", "processor time of making CDEvents of an event, by source", run)


def _costs(samples: list[Sample], number: int, rounds: int, routes: Routes, catalog: Catalog) -> list[float]:
    records = [record for each in zip(*(s.copies(number) for s in samples), strict=True) for record in each]
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        for headers, value in records:
            decide(read_record(headers, value), routes, catalog)
        found.append((time.process_time() - begun) * MICROSECONDS / len(records))
    return found


def _yardstick(samples: list[Sample], number: int, rounds: int) -> list[float]:
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        for sample in samples * number:
            orjson.loads(sample.event.body or b"")
            for cdevent in sample.cdevents:
                errors_of(cdevent.document)
        found.append((time.process_time() - begun) * MICROSECONDS / (number * len(samples)))
    return found


def _one_of_each_kind(samples: Iterable[Sample]) -> list[Sample]:
    return list({sample.kind: sample for sample in samples}.values())


def _samples(routes: Routes, catalog: Catalog) -> Iterator[Sample]:
    # Recordings are in the checkout only, where benchmarks are run.
    from tests.sources.payloads import event_of, payloads

    for payload in payloads():
        recorded = event_of(payload)
        event = CloudEvent(recorded.attributes, orjson.dumps(orjson.loads(recorded.body or b"null")))
        fate = decide(event, routes, catalog).fate
        if fate is not None and fate.fate == "mapped":
            yield Sample(fate.rule or "", payload.event, event, fate.cdevents)

"""What every program of the streams' benchmark shares: the transform, and the report at its end."""

import os
import resource
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import to_record
from schemas.cloudevents.kafka import read_record
from streams.facts import partition_key
from streams.router import Routes, decide
from streams.sources import find_sources

KAFKA = os.environ["KAFKA"]
SOURCE, SINK, GROUP = os.environ["SOURCE"], os.environ["SINK"], os.environ["GROUP"]
EXPECTED = int(os.environ["EXPECTED"])

_routes = Routes(find_sources(), None)
_catalog = Catalog.empty()

Record = tuple[bytes, bytes | None, list[tuple[str, bytes | None]]]


def transform(headers: Any, value: bytes | None, milliseconds: float) -> list[Record]:
    """One CloudEvent to the records of its CDEvents: the very functions that the worker calls."""
    event = read_record([(str(name), content) for name, content in headers], value)
    decision = decide(event.with_time(datetime.fromtimestamp(milliseconds / 1000, UTC)), _routes, _catalog)
    records = []
    for cdevent in decision.fate.cdevents if decision.fate else ():
        _, body, outgoing = to_record(cdevent, None)
        records.append((partition_key(cdevent, _catalog), body, outgoing))
    return records


@dataclass
class Count:
    """Counts what is done; when all of it is, the report is written to ``REPORT``."""

    done: int = 0
    began: float = 0.0
    processor: float = field(default=0.0)

    def begin(self) -> None:
        """The first record is there."""
        if not self.began:
            self.began, self.processor = time.perf_counter(), processor_seconds()

    def add(self, number: int) -> bool:
        """So many more are done; whether that was all."""
        self.done += number
        if self.done < EXPECTED:
            return False
        told = {
            "events": self.done,
            "seconds": time.perf_counter() - self.began,
            "processor": processor_seconds() - self.processor,
        }
        partial = Path(os.environ["REPORT"]).with_suffix(".partial")
        partial.write_bytes(orjson.dumps(told))
        partial.rename(os.environ["REPORT"])
        return True


def processor_seconds() -> float:
    """Seconds of a core that this process has used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

"""Answers at scale: how long the metrics take over a year of one service, of a team, and of everything.

The questions go over HTTP to a ``dora query`` of its own, one at a time, over the history that
``benchmarks/query_load.py`` has put into an embedded PostgreSQL. With ``--save`` the plan of every question
is kept in ``benchmarks/results``.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.query_history import Size
from benchmarks.query_load import load
from benchmarks.query_plans import plans
from benchmarks.query_questions import Question, questions
from benchmarks.query_server import TEAM, serving
from deploy.embedded.postgres import Postgres

SIZE = Size(services=500, deployments=2_050)
PLANS = Path(__file__).parent / "results" / "query_plans.txt"


@dataclass(frozen=True, slots=True)
class Measured:
    """The seconds of one question, in ascending order, and the load of the machine while it was asked."""

    question: Question
    seconds: Sequence[float]
    load: float

    def percentile(self, share: float) -> float:
        """The value below which ``share`` (0 to 1) of the answers are."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]

    def figures(self, note: str) -> Sequence[Figure]:
        """The median and the 99th percentile, in milliseconds."""
        target = Target(most=self.question.scope.within * 1000)
        about = f"{note}; {len(self.seconds)} answers; load average {self.load:.1f}"
        return [
            Figure(f"{self.question}: p50", "ms", [self.percentile(0.5) * 1000], note=about),
            Figure(f"{self.question}: p99", "ms", [self.percentile(0.99) * 1000], target, about),
        ]

    def __str__(self) -> str:
        late = "" if self.percentile(0.99) <= self.question.scope.within else "  TOO SLOW"
        return (
            f"{self.question!s:75} p50 {self.percentile(0.5) * 1000:7.1f} ms"
            f"  p99 {self.percentile(0.99) * 1000:7.1f} ms  load {self.load:.1f}{late}"
        )


def measure(url: str, size: Size, options: Options) -> list[Measured]:
    """Ask every question as often as its scope says; five times in a quick run."""
    found = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for question in questions():
            paths = islice(question.paths(size), 5 if options.quick else None)
            found.append(_measure(client, question, paths))
            options.say(str(found[-1]))
    return found


def _measure(client: httpx.Client, question: Question, paths: Iterable[str]) -> Measured:
    seconds, samples = [], 0
    for path in paths:
        begun = time.perf_counter()
        answer = client.get(path)
        seconds.append(time.perf_counter() - begun)
        samples += answer.raise_for_status().json()["sample_count"]
    if not samples:
        raise RuntimeError(f"nothing was counted for {question}; look at benchmarks/query_history.py")
    return Measured(question, sorted(seconds), os.getloadavg()[0])


def ask(dsn: str, size: Size, options: Options) -> list[Measured]:
    """Measure on the loaded database at ``dsn``, and keep the plans when they are wanted."""
    with serving(dsn, options.folder, size) as url:
        measured = measure(url, size, options)
    if options.further.get("save") and not options.quick:
        PLANS.write_text(asyncio.run(plans(dsn, size, questions())), encoding="utf-8")
    return measured


def run(options: Options) -> Sequence[Figure]:
    """Load, and ask."""
    size = Size(TEAM * 2, 100) if options.quick else SIZE
    postgres = Postgres(options.folder / "postgres")
    postgres.start()
    try:
        rows = asyncio.run(load(postgres.dsn(), size, options.say))
        measured = ask(postgres.dsn(), size, options)
    finally:
        postgres.stop()
    note = f"{rows['deployments']:,} deployments, {rows['changes']:,} changes of {size.services} services"
    return [figure for each in measured for figure in each.figures(note)]


BENCHMARK = Benchmark("query", "answers over a year of a million deployments", run, quick=False)

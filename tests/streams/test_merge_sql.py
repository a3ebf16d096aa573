"""The merge in PostgreSQL (merge_deployments.sql) is the merge of streams/facts.py."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import astuple, fields
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from streams.facts import Deployment, merge_all
from streams.sinks import cdevents
from streams.sinks.database import Database
from tests.streams.reports import histories, report

pytestmark = pytest.mark.connected

COLUMNS = ", ".join(field.name for field in fields(Deployment))
AT = datetime(2026, 3, 5, 10, tzinfo=UTC)
# The last rank is the identity, compared by code points: a collation of people would put é before z.
NAMES = ("é", "z", "Z")
TIES = [
    *(report("a", AT, cd_id=name, kind="failed" if name == "z" else "deployed") for name in NAMES),
    *(report("b", AT, cd_source=name, artifact=f"pkg:oci/{name}") for name in NAMES),
]

Rows = dict[str, tuple[Any, ...]]


@pytest.fixture
def rows_after(database: str) -> Iterator[Callable[[list[list[Deployment]]], Rows]]:
    """The rows of ``deployments`` once these batches, and no others, were stored."""
    sink = Database(f"{database}?synchronous_commit=off", 1)
    with asyncio.Runner() as runner:
        yield lambda batches: runner.run(store(sink, batches))
        runner.run(sink.close())


async def store(sink: Database, batches: list[list[Deployment]]) -> Rows:
    async with sink.transaction() as connection:
        await connection.execute("DELETE FROM deployments")
    for batch in batches:
        await cdevents.store(sink, [], batch)
    rows = await sink.fetch(f"SELECT {COLUMNS} FROM deployments")  # noqa: S608
    return {row["deploy_id"]: tuple(row) for row in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, st.randoms(use_true_random=False))
@example(TIES, None)
def test_any_order_repetition_and_batching_ends_in_the_same_rows(rows_after, reports, random):
    events = [*reports, *reports]
    cuts = list(range(len(events) + 1))
    if random is not None:
        random.shuffle(events)
        cuts = sorted({0, len(events), *(random.randint(0, len(events)) for _ in range(4))})
    batches = [events[start:end] for start, end in pairwise(cuts)]
    assert rows_after(batches) == {name: astuple(merged) for name, merged in merge_all(reports).items()}

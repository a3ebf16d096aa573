"""The merges of all facts: any order and repetition ends in the same; PostgreSQL merges as Python does."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.facts import Artifact, Change, Correction, Incident, Push
from streams.facts.artifacts import artifact_key
from streams.facts.told import merged
from streams.sinks import cdevents
from streams.sinks.database import Database
from streams.sinks.facts import TABLES
from tests.streams.fact_strategies import STRATEGIES, facts

COLUMNS = {
    Change: "changes",
    Push: "pushes",
    Artifact: "artifacts",
    Incident: "incidents",
    Correction: "corrections",
}
NAMES = {
    Change: "repository, change_id, kind, committed_at, pushed_at, opened_at, merged_at, service, commit,"
    " head, branch, reverts, hotfix, services",
    Push: "repository, branch, commit, pushed_at, position, before, after, truncated",
    Artifact: "digest, artifact, repository, commit, change_id",
    Incident: "incident_source, incident_id, detected_at, opened_at, resolved_at, told",
    Correction: "deploy_id, decided_at, failed, unplanned, cause, cd_source, cd_id",
}


def together(kind: type[Any], told: list[Any]) -> dict[Any, Any]:
    table = TABLES[kind]
    return {table.key(fact): fact for fact in merged(told, table.key, table.merge)}


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_merging_is_commutative_associative_and_idempotent(kind, data):
    told = data.draw(facts(kind))
    shuffled = data.draw(st.permutations([*told, *told]))
    assert together(kind, shuffled) == together(kind, told)
    middle = len(told) // 2
    halves = [*together(kind, told[middle:]).values(), *together(kind, told[:middle]).values()]
    assert together(kind, halves) == together(kind, told)


Rows = Callable[[type[Any], list[list[Any]]], list[tuple[Any, ...]]]


@pytest.fixture
def rows_after(database: str) -> Iterator[Rows]:
    """The rows of a table once these batches, and no others, were stored."""
    sink = Database(f"{database}?synchronous_commit=off", 1)
    with asyncio.Runner() as runner:
        yield lambda kind, batches: runner.run(store(sink, kind, batches))
        runner.run(sink.close())


async def store(sink: Database, kind: type[Any], batches: list[list[Any]]) -> list[tuple[Any, ...]]:
    async with sink.transaction() as connection:
        await connection.execute(f"DELETE FROM {COLUMNS[kind]}")  # noqa: S608
    for batch in batches:
        await cdevents.store(sink, [], batch)
    return [tuple(row) for row in await sink.fetch(f"SELECT {NAMES[kind]} FROM {COLUMNS[kind]}")]  # noqa: S608


def comparable(kind: type[Any], row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:-1], orjson.loads(row[-1])) if kind is Incident else row


@pytest.mark.connected
@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_postgres_merges_as_python_does(kind, data, rows_after):
    told = data.draw(facts(kind))
    shuffled = data.draw(st.permutations([*told, *told]))
    cut = data.draw(st.integers(0, len(shuffled)))
    found = [comparable(kind, row) for row in rows_after(kind, [shuffled[:cut], shuffled[cut:]])]
    expected = [comparable(kind, TABLES[kind].row(fact)) for fact in together(kind, told).values()]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@pytest.mark.connected
async def test_postgres_knows_artifacts_by_the_same_key(database):
    digest = "0123456789abcdefABCDEF" + "0" * 42
    artifacts = [
        f"pkg:oci/shop@sha256:{digest}?repository_url=ghcr.io/acme/shop&tag=v1",
        f"pkg:oci/shop@sha256%3A{digest}",
        f"pkg:oci/shop@sha256%3a{digest}?tag=v2",
        f"pkg:oci/shop@sha256:{digest[:-1]}",
        "pkg:npm/%40acme/shop@1.2.3",
        "",
    ]
    sink = Database(database, 1)
    rows = await sink.fetch("SELECT artifact_key(a) AS key FROM unnest($1::text[]) AS a", artifacts)
    await sink.close()
    assert [row["key"] for row in rows] == [artifact_key(artifact) for artifact in artifacts]
    assert len(set(map(artifact_key, artifacts))) == 4

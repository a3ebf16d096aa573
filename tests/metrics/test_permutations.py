"""Any order and any repetition of a history of 2,000 events gives one answer, which is that of the oracle."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.recompute import recompute
from query.app import create_app
from query.settings import Settings
from schemas.calendar import zone_of
from schemas.catalog import Catalog
from schemas.topics import Topics
from streams.facts import Artifact, Change, Correction, Deployment, Fact, Incident, Push, facts_of
from streams.links import History, link
from streams.metrics.parts import Answer, Parts
from streams.metrics.window import Window
from streams.sinks import cdevents
from streams.sinks.database import Database
from streams.sinks.facts import TABLES
from streams.sinks.links import relink
from tests.infra.production import eventually, fetch, produce
from tests.infra.servers import Infra
from tests.metrics import oracle
from tests.metrics.long_history import EVENTS, SERVICES, cdevents_of, records, stories
from tests.metrics.test_linked_metrics import MODULES
from tests.query.client import client_of
from tests.streams.running import running, worker
from tests.streams.test_recompute import plan

PERMUTATIONS = 40
START, END = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 6, 29, tzinfo=UTC)
WINDOW = Window(START, END, "week", zone_of("UTC"))
PRODUCTION = "production"

Numbers = dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def facts() -> list[list[Fact]]:
    """The facts of each event."""
    empty = Catalog.empty()
    return [[fact for each in told for fact in facts_of(each, empty)] for told in cdevents_of(records())]


@pytest.fixture(scope="module")
def expected() -> Numbers:
    """What the oracle says, from the stories themselves."""
    told = stories()
    return {
        (service, metric): oracle.answer(metric, told[service], START, END, "week", "UTC")
        for service in SERVICES
        for metric in MODULES
    }


def permuted(facts: list[list[Fact]], random: Random) -> list[list[Fact]]:
    """Every event at least once, in any order; half of them again, and some of these more than once."""
    found = [*facts, *random.choices(facts, k=len(facts) // 2)]
    random.shuffle(found)
    return found


def histories(events: Iterable[list[Fact]]) -> dict[str, History]:
    """The facts of each service in production, merged one by one in the order of ``events``."""
    found: dict[type[Any], dict[Any, Any]] = {kind: {} for kind in TABLES}
    for event in events:
        for fact in event:
            table, known = TABLES[type(fact)], found[type(fact)]
            key = table.key(fact)
            known[key] = table.merge(known[key], fact) if key in known else fact
    by_service: defaultdict[str, list[Any]] = defaultdict(list)
    for deployment in found[Deployment].values():
        by_service[deployment.service].append(deployment)
    return {
        service: History(
            service=service,
            environment=PRODUCTION,
            deployments=deployments,
            pushes=list(found[Push].values()),
            changes=list(found[Change].values()),
            artifacts={each.artifact: each for each in found[Artifact].values()},
            incidents=list(found[Incident].values()),
            corrections={each.deploy_id: each for each in found[Correction].values()},
        )
        for service, deployments in by_service.items()
    }


def numbers_of(found: dict[str, History]) -> Numbers:
    """Every metric of every service."""
    numbers: Numbers = {}
    parts = Parts(WINDOW)
    for service, history in found.items():
        links = link(history)
        incidents = [each for each in history.incidents if each.told["service"][1] == service]
        about: dict[str, Any] = {"change_lead_time": links.changes, "merge_to_deploy": links.changes}
        about["time_to_restore"] = incidents
        for metric, module in MODULES.items():
            given = about.get(metric, links.attributions)
            if hasattr(module, "placed"):
                sorted_in: Any = parts.counts(module.placed(given))
            else:
                sorted_in = parts.durations(module.samples(given))
            numbers[service, metric] = told(getattr(module, metric)(WINDOW, sorted_in))
    return numbers


def told(answer: Answer) -> tuple[Any, ...]:
    points = [(point.value, point.sample_count) for point in answer.points]
    return answer.value, answer.sample_count, points


def test_the_history_is_long_and_of_several_sources(facts, expected):
    assert len(facts) == EVENTS
    sources = {each.source for told in cdevents_of(records()) for each in told}
    assert sources == {"/git", "/cd", "/pager", "/report", "/dora/attribute"}
    kinds = {type(fact) for event in facts for fact in event}
    assert kinds == {Deployment, Change, Push, Incident, Correction}
    assert all(count > 0 for _, count, _ in expected.values())


def test_r16_any_order_and_repetition_of_2000_events_gives_what_the_oracle_gives(facts, expected):
    first = numbers_of(histories(facts))
    for key, (value, count, points) in expected.items():
        found_value, found_count, found_points = first[key]
        assert (found_value, found_count) == (pytest.approx(value), count), key
        assert found_points == [(pytest.approx(each), samples) for each, samples in points], key
    for seed in range(PERMUTATIONS):
        assert numbers_of(histories(permuted(facts, Random(seed)))) == first, seed


async def answers(dsn: str) -> Numbers:
    """Every metric of every service, as the query API answers it."""
    app = create_app(Settings(postgres=dsn), Catalog.empty(), now=lambda: END)
    found: Numbers = {}
    async with client_of(app) as client:
        for service in SERVICES:
            for metric in MODULES:
                found[service, metric] = await _answer(client, service, metric)
            found[service, "deployment_frequency"] = await _answer(client, service, "deployment_frequency")
    return found


async def _answer(client: httpx.AsyncClient, service: str, metric: str) -> tuple[Any, ...]:
    asked = {"service": service, "from": START.isoformat(), "to": END.isoformat(), "bucket": "week"}
    reply = await client.get(f"/v1/metrics/{metric.replace('_', '-')}", params=asked)
    content = reply.raise_for_status().json()
    points = [(point["value"], point["sample_count"]) for point in content["points"]]
    return content["value"], content["sample_count"], points


def agree(found: Numbers, expected: Numbers) -> None:
    for key, (value, count, points) in expected.items():
        found_value, found_count, found_points = found[key]
        assert (found_value, found_count) == (pytest.approx(value), count), key
        assert found_points == [(pytest.approx(each), samples) for each, samples in points], key


@pytest.mark.connected
@pytest.mark.timeout(180)
async def test_r16_batches_of_any_size_and_relinks_in_between_end_in_the_same(facts, expected, database):
    sink = Database(f"{database}?synchronous_commit=off", 1)
    connection = await asyncpg.connect(database)
    seen = []
    for seed in range(3):
        random = Random(seed)
        await connection.execute(
            "TRUNCATE deployments, changes, pushes, artifacts, incidents, corrections, relinks, attributions,"
            " deployed_changes, link_days"
        )
        waiting = permuted(facts, random)
        while waiting:
            batches = []
            for _ in range(2):  # two workers at a time
                size = random.choice((1, 20, 200, 500))
                batches.append([fact for event in waiting[:size] for fact in event])
                waiting = waiting[size:]
            await asyncio.gather(*(cdevents.store(sink, [], batch) for batch in batches))
            if random.random() < 0.3:
                await asyncio.gather(relink(sink, Catalog.empty()), relink(sink, Catalog.empty()))
        while await relink(sink, Catalog.empty()) is not None:
            pass
        found = await answers(database)
        agree(found, expected)
        seen.append(found)
    assert seen[0] == seen[1] == seen[2]
    await connection.close()
    await sink.close()


@pytest.mark.connected
@pytest.mark.partitions(4)
@pytest.mark.timeout(240)
async def test_r16_the_stream_and_a_recompute_end_in_what_the_oracle_gives(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, expected, monkeypatch
):
    told = records()
    given = [*told, *Random(1).sample(told, len(told) // 2)]
    Random(2).shuffle(given)
    program = worker(infra, topics, database, tmp_path / "worker")
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    await produce(infra.kafka, topics["cloudevents"], given, topics.partitions)

    async def all_recorded() -> bool:
        rows = await fetch(database, "SELECT count(*) FROM cloudevents_raw")
        marks = await fetch(database, "SELECT count(*) FROM relinks")
        return rows[0][0] == EVENTS and marks[0][0] == 0

    async with running(program):
        await eventually(all_recorded, 90, "all events in their tables")
        await program.settled()
        await eventually(all_recorded, 90, "all links")
        live = await answers(database)
        agree(live, expected)
        done = await recompute(plan(infra, topics, database), lambda *_: None)
        assert done.generation == 2
        assert await answers(database) == live

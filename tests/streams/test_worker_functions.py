"""Functions in a running worker: routes map, slow and broken ones, one that posts by itself, and our own."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from schemas.topics import Topics
from tests.infra.databases import create_database, drop_database
from tests.infra.production import Record, count, eventually, fetch, produce
from tests.infra.programs import Program
from tests.infra.servers import Infra
from tests.infra.topic_sets import create_topics, delete_topics
from tests.streams.called import Function, Reply, Request, serving
from tests.streams.produced import cloudevent, deployed, recorded
from tests.streams.running import running, worker
from tests.streams.test_functions import binary, document

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4)]


@pytest.fixture
def function() -> Iterator[Function]:
    with serving() as function:
        yield function


def routes_file(folder: Path, routes: dict[str, list[str]]) -> str:
    path = folder / "routes.yaml"
    path.write_text(yaml.safe_dump({"routes": routes}))
    return str(path)


async def fates(dsn: str) -> dict[str, tuple[str, str | None]]:
    rows = await fetch(dsn, "SELECT id, fate, reason FROM cloudevents_raw")
    return {row["id"]: (row["fate"], row["reason"]) for row in rows}


async def test_functions_answer_fail_hang_and_hold_up_nobody(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, function: Function
):
    released = threading.Event()

    def answer(request: Request) -> Reply:
        match request.path:
            case "/maps":
                return binary(document(f"any id {len(function.requests)}"))
            case "/broken":
                return Reply(500)
            case "/slow":
                released.wait(20)
        return Reply()

    function.answer = answer
    routes = {f"com.example.{kind}": [f"{function.url}/{kind}"] for kind in ("maps", "broken", "slow")}
    routes |= {"com.example.both": [f"{function.url}/views", f"{function.url}/maps"]}
    one = worker(
        infra,
        topics,
        database,
        tmp_path / "worker",
        routes=routes_file(tmp_path, routes),
        function_timeout="25",
        function_attempts="2",
    )
    async with running(one):
        slow = [cloudevent(f"slow-{n}", event_type="com.example.slow") for n in range(4)]
        await produce(infra.kafka, topics["cloudevents"], slow, topics.partitions)

        async def hanging() -> bool:
            return len(function.requests) == 4

        await eventually(hanging, what="the slow function is called")
        natives = [deployed(f"native-{n}") for n in range(20)]
        await produce(infra.kafka, topics["cloudevents"], natives, topics.partitions)

        async def natives_counted() -> bool:
            return await count(database, "deployments") == 20

        await eventually(natives_counted, seconds=10, what="events that need no function are not held up")
        assert not [event_id for event_id in await fates(database) if event_id.startswith("slow")]
        released.set()
        others = [cloudevent(kind, event_type=f"com.example.{kind}") for kind in ("maps", "broken", "both")]
        await produce(infra.kafka, topics["cloudevents"], others, topics.partitions)

        async def settled() -> bool:
            return (
                await count(database, "cloudevents_raw") == 27 and await count(database, "deployments") == 22
            )

        await eventually(settled, what="every event has its row")
        await one.settled()
    told = await fates(database)
    assert {told[f"slow-{n}"] for n in range(4)} == {("ignored", f"delivered to {function.url}/slow")}
    assert told["maps"] == ("mapped", None)
    assert told["broken"] == ("dead", f"function {function.url}/broken: answered 500")
    assert told["both"] == ("mapped", f"delivered to {function.url}/views")
    rows = await fetch(database, "SELECT stage, reason, attempts, id, origin_topic FROM deadletters")
    assert [tuple(row) for row in rows] == [
        ("call", f"function {function.url}/broken: answered 500", 2, "broken", topics["cloudevents"])
    ]
    rows = await fetch(database, "SELECT cause_id, rule FROM cdevents_raw WHERE rule LIKE 'http%' ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("both", f"{function.url}/maps"),
        ("maps", f"{function.url}/maps"),
    ]


async def test_a_rebalance_does_not_wait_for_a_function_that_hangs(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, function: Function
):
    """Its calls are abandoned and made again by whoever has the partition then."""
    hung = threading.Event()
    function.answer = lambda _: Reply() if hung.is_set() else Reply(delay=30)
    routes = routes_file(tmp_path, {"com.example.slow": [function.url]})
    one, two = (
        worker(infra, topics, database, tmp_path / name, routes=routes, function_timeout="60")
        for name in ("one", "two")
    )
    async with running(one):
        events = [cloudevent(f"slow-{n}", event_type="com.example.slow") for n in range(8)]
        await produce(infra.kafka, topics["cloudevents"], events, topics.partitions)

        async def hanging() -> bool:
            return len(function.requests) == 8

        await eventually(hanging, what="the function is called")
        hung.set()
        async with running(two):

            async def settled() -> bool:
                return await count(database, "cloudevents_raw") == 8

            await eventually(settled, seconds=20, what="every event is delivered")
            assert one.running
            assert one.starts == 1
    assert set((await fates(database)).values()) == {("ignored", f"delivered to {function.url}")}


async def test_a_function_may_post_its_cdevent_to_the_ingress(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, function: Function
):
    one = worker(
        infra,
        topics,
        database,
        tmp_path / "worker",
        routes=routes_file(tmp_path, {"com.example.built": [function.url]}),
    )
    ingress = Program("ingress", tmp_path / "ingress", {**one.environment, "DORA_PORT": "0"})

    def answer(request: Request) -> Reply:
        made = document(f"for {request.headers['ce-id']}")
        reply = binary(made)
        posted = httpx.post(f"{ingress.url}/cdevents", headers=reply.headers, content=reply.body)
        return Reply(202 if posted.status_code == 202 else 500)

    function.answer = answer
    async with running(one, ingress):
        await produce(infra.kafka, topics["cloudevents"], [cloudevent("b", event_type="com.example.built")])

        async def settled() -> bool:
            return await count(database, "deployments") == 1

        await eventually(settled, what="the deployment that the function posted")
        await one.settled()
    assert await fates(database) == {
        "b": ("ignored", f"delivered to {function.url}"),
        "for b": ("mapped", None),
    }


async def deployments(dsn: str) -> list[dict[str, Any]]:
    """Every deployment without the id of the CDEvent that told of it, which functions cannot choose."""
    rows = await fetch(dsn, "SELECT * FROM deployments ORDER BY deploy_id")
    return [{name: value for name, value in row.items() if name != "cd_id"} for row in rows]


def first_rollouts() -> list[Record]:
    """Of each recorded Deployment the message that shows its first revision complete."""
    found: dict[str, Record] = {}
    for record in recorded("deployments"):
        told = json.loads(record[1] or b"")
        if told.get("kind") != "Deployment":
            continue
        revision = (told["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
        conditions = {each["type"]: each for each in told.get("status", {}).get("conditions", ())}
        complete = conditions.get("Progressing", {}).get("reason") == "NewReplicaSetAvailable"
        if revision == "1" and complete:
            found.setdefault(told["metadata"]["uid"], record)
    return list(found.values())


async def deployed_by(
    infra: Infra, topics: Topics, dsn: str, folder: Path, records: list[Record], **settings: str
) -> list[dict[str, Any]]:
    """What a worker with these settings makes of ``records``."""
    one = worker(infra, topics, dsn, folder, **settings)
    async with running(one):
        await produce(infra.kafka, topics["cloudevents"], records)

        async def counted() -> bool:
            return await count(dsn, "deployments") == len(records)

        await eventually(counted, what="a deployment of each")
    return await deployments(dsn)


async def test_our_own_function_as_a_target_gives_the_deployments_of_the_built_in_source(
    infra: Infra, topics: Topics, database: str, template_database: str, tmp_path: Path
):
    records = first_rollouts()
    assert len(records) >= 2
    direct = await deployed_by(infra, topics, database, tmp_path / "built-in", records)
    function = Program("function", tmp_path / "function", {"DORA_PORT": "0"}, "kubernetes")
    other_topics = await create_topics(infra.kafka, topics.partitions)
    other_database = await create_database(infra.postgres, template_database)
    async with running(function):
        routes = routes_file(tmp_path, {"dev.knative.apiserver.resource.*": [function.url]})
        called = await deployed_by(
            infra, other_topics, other_database, tmp_path / "called", records, routes=routes
        )
        assert await asyncio.to_thread(function.stop) == 0
    rules = {row["rule"] for row in await fetch(other_database, "SELECT rule FROM cdevents_raw")}
    await drop_database(infra.postgres, other_database)
    await delete_topics(infra.kafka, other_topics.prefix)
    assert rules == {function.url}
    assert called == direct

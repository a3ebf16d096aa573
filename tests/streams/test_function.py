"""A built-in source over HTTP: what goes in, what comes back, and that the worker takes it as it is meant."""

import json
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from schemas.catalog import Catalog
from schemas.cdevents.validate import errors_of
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import read_message, write_binary
from schemas.cloudevents.kafka import read_record
from streams.function import LARGEST_EVENT, UnknownFunction, create_function, header_text
from streams.functions import Response, read_answer
from streams.outcome import Ignored, Mapped, Observed, Outcome
from streams.router import Fate, Routes, decide
from streams.source import Source
from streams.sources import find_sources
from tests.streams.produced import deployed, recorded
from tests.streams.test_router import draft, source_that

URL = "http://function"


def client(name: str, *sources: Source, catalog: Catalog | None = None) -> httpx.AsyncClient:
    known = {source.name: source for source in sources} or None
    app = create_function(name, catalog or Catalog.empty(), known)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)


def event_of(record: Any) -> CloudEvent:
    _, value, headers = record
    return read_record(headers, value)


async def post(function: httpx.AsyncClient, event: CloudEvent, path: str = "/") -> httpx.Response:
    headers, body = write_binary(event)
    return await function.post(path, headers=headers, content=body)


def answer_of(response: httpx.Response, event: CloudEvent) -> Fate:
    """As the worker's call stage reads it."""
    return read_answer(URL, event, Response(response.status_code, response.headers, response.content))


ANY = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "com.example.built"}, b"{}")


@pytest.mark.parametrize("path", ["/", "/foo", "/a/b/c/", "//"])
async def test_one_cdevent_comes_back_in_binary_mode_on_any_path(path):
    event = event_of(deployed("d1"))
    async with client("cdevents") as function:
        response = await post(function, event, path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["ce-id"] == "d1"
    assert response.json() == event.data


async def test_several_cdevents_come_back_as_a_batch():
    two = source_that(Mapped(draft(), draft("build.queued.0.3.0")))
    async with client("one", two) as function:
        response = await post(function, ANY)
    assert response.headers["content-type"] == "application/cloudevents-batch+json"
    headers = [(name.lower(), value) for name, value in response.headers.raw]
    returned = read_message(headers, response.content).events
    assert [errors_of(each.data) for each in returned] == [[], []]
    decision = decide(ANY, Routes({"one": two}), Catalog.empty())
    assert decision.fate is not None
    assert [each.id for each in returned] == [each.id for each in decision.fate.cdevents]


async def test_structured_mode_is_taken_too():
    _, value, _ = deployed("d1")
    envelope = {
        "specversion": "1.0",
        "id": "x",
        "source": "/s",
        "type": "dev.cdevents.service.deployed.0.3.0",
    }
    body = json.dumps({**envelope, "data": json.loads(value or b"")})
    async with client("cdevents") as function:
        response = await function.post(
            "/", headers={"content-type": "application/cloudevents+json"}, content=body
        )
    assert response.headers["ce-id"] == "d1"


@pytest.mark.parametrize(
    ("event_type", "outcome", "reason"),
    [
        ("dev.knative.apiserver.ref.add", "unmapped", "mode: Resource"),
        ("dev.knative.apiserver.unheard.of", "unmapped", "no rule for type"),
    ],
)
async def test_an_event_that_becomes_nothing_is_answered_with_the_reason(event_type, outcome, reason):
    event = CloudEvent({**ANY.attributes, "type": event_type}, b"{}")
    async with client("kubernetes") as function:
        response = await post(function, event)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["dora-outcome"] == outcome
    assert reason in unquote(response.headers["dora-reason"])
    fate = answer_of(response, event)
    assert (fate.fate, fate.reason) == (outcome, unquote(response.headers["dora-reason"]))


@pytest.mark.parametrize(
    "reason", ["", "plain", "größer, 100 % \N{SNOWMAN}", "x" * 5000, "\N{SNOWMAN}" * 5000, '"quoted"', "a\nb"]
)
async def test_a_reason_fits_into_a_header(reason):
    text = header_text(reason)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 1000
    assert reason.startswith(unquote(text))
    async with client("one", source_that(Ignored(reason))) as function:
        assert (await post(function, ANY)).status_code == 204


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 415),
        ({"content-type": "application/json"}, b'{"some": "thing"}', 415),
        ({"content-type": "application/cloudevents+json"}, b"{", 400),
        ({"content-type": "application/cloudevents+avro"}, b"", 415),
        ({"content-type": "application/cloudevents-batch+json"}, b"[]", 400),
        ({"ce-id": "1"}, b"{}", 400),
        ({"ce-id": "1"}, b"x" * (LARGEST_EVENT + 1), 413),
    ],
)
async def test_what_is_no_event_is_a_problem(headers, body, status):
    async with client("cdevents") as function:
        response = await function.post("/", headers=headers, content=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert response.json()["detail"]


async def test_an_invalid_cdevent_of_ours_is_refused_and_so_a_dead_letter_at_once():
    bad = source_that(Mapped(draft("service.deployed.0.3.0")))
    async with client("one", bad) as function:
        response = await post(function, ANY)
    assert response.status_code == 422
    assert answer_of(response, ANY).fate == "dead"


async def test_a_stateful_source_takes_each_event_as_the_first_of_its_object():
    source = Source("watched", prefixes=("com.example.",))
    seen: list[Any] = []

    @source.on("*")
    def look(event: CloudEvent, _: Catalog) -> Outcome:
        return Observed("uid", {"id": event.id, "time": event.time})

    @source.folds
    def fold(state: Any, observed: Observed, _: Catalog) -> Any:
        seen.append((state, observed.facts["id"]))
        assert observed.facts["time"] is not None
        return {}, Mapped(draft())

    async with client("watched", source) as function:
        for _ in range(2):
            assert (await post(function, ANY)).status_code == 200
    assert seen == [(None, "1"), (None, "1")]


async def test_health_and_an_unknown_name():
    async with client("cdevents") as function:
        health = await function.get("/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok", "function": "cdevents"})
        assert (await function.get("/")).status_code == 405
    with pytest.raises(UnknownFunction, match=r"there is no transformer 'cdevent'; there are: .*cdevents"):
        create_function("cdevent", Catalog.empty())


async def test_the_catalog_is_used():
    catalog = Catalog.parse("services: {shop: {workloads: [checkout]}}\nenvironments: {live: [staging]}")
    found: set[tuple[str, str]] = set()
    async with client("kubernetes", catalog=catalog) as function:
        for record in recorded("deployments"):
            response = await post(function, event_of(record))
            if response.status_code == 200 and response.headers["content-type"] == "application/json":
                dora = response.json()["customData"]["dora"]
                found.add((dora["service"], dora["environment"]))
    assert ("shop", "live") in found


async def test_every_recorded_message_of_a_cluster_is_answered():
    statuses = set()
    async with client("kubernetes") as function:
        for name in ("deployments", "events", "references"):
            for record in recorded(name):
                event = event_of(record)
                response = await post(function, event)
                statuses.add(response.status_code)
                assert answer_of(response, event).fate in {"mapped", "ignored", "unmapped"}
    assert statuses == {200, 204}
    assert "kubernetes" in find_sources()

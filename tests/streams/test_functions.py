"""Calling http functions over real HTTP: what they are sent, and what each answer makes of the event."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from schemas.cdevents.event import derive_id
from schemas.cloudevents.event import CloudEvent
from streams import functions as module
from streams.functions import LARGEST_ANSWER, Answer, Functions
from streams.router import Fate
from tests.streams.called import Function, Reply, serving
from tests.streams.produced import deployed

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ATTEMPTS = 3
EVENT = CloudEvent(
    {
        "specversion": "1.0",
        "id": "e-1",
        "source": "https://git.example/acme/checkout",
        "type": "com.example.built",
        "subject": "größer als",
        "time": "2026-03-05T10:00:00.123456789Z",
        "datacontenttype": "application/vnd.example+json; charset=utf-8",
        "number": "7",
    },
    b'{ "spaces":   "kept", "big": 12345678901234567890 }',
)


@pytest.fixture
def function() -> Iterator[Function]:
    with serving() as function:
        yield function


@pytest.fixture
async def functions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Functions]:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    functions = Functions(timeout=0.5, attempts=ATTEMPTS)
    yield functions
    await functions.close()


def document(event_id: str = "theirs", **context: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(deployed(event_id)[1] or b"")
    made["context"] |= context
    return made


def binary(made: dict[str, Any]) -> Reply:
    """A CDEvent in a binary-mode answer."""
    context = made["context"]
    headers = {f"ce-{name}": context[name] for name in ("id", "source", "type")}
    headers |= {"ce-specversion": "1.0", "content-type": "application/json"}
    return Reply(headers=headers, body=json.dumps(made).encode())


def envelope(made: dict[str, Any]) -> dict[str, Any]:
    context = made["context"]
    attributes = {name: context[name] for name in ("id", "source", "type")}
    return {"specversion": "1.0", **attributes, "datacontenttype": "application/json", "data": made}


def structured(made: dict[str, Any]) -> Reply:
    return Reply(
        headers={"content-type": "application/cloudevents+json; charset=utf-8"},
        body=json.dumps(envelope(made)).encode(),
    )


def batch(*made: dict[str, Any]) -> Reply:
    return Reply(
        headers={"Content-Type": "application/cloudevents-batch+json"},
        body=json.dumps([envelope(each) for each in made]).encode(),
    )


async def call(functions: Functions, function: Function, path: str = "") -> Answer:
    return await functions.call(function.url + path, EVENT, TRACE)


async def test_the_event_is_sent_in_binary_mode_as_it_came(functions: Functions, function: Function):
    await call(functions, function, "/to-cdevents?x=1")
    sent = function.requests[0]
    assert sent.path == "/to-cdevents?x=1"
    assert sent.body == EVENT.body
    assert {name: value for name, value in sent.headers.items() if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": "e-1",
        "ce-source": "https://git.example/acme/checkout",
        "ce-type": "com.example.built",
        "ce-subject": "gr%C3%B6%C3%9Fer%20als",
        "ce-time": "2026-03-05T10:00:00.123456789Z",
        "ce-number": "7",
    }
    assert sent.headers["content-type"] == "application/vnd.example+json; charset=utf-8"
    assert sent.headers["traceparent"] == TRACE


async def test_an_event_without_data_is_sent_without_a_body(functions: Functions, function: Function):
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    await functions.call(function.url, CloudEvent(attributes, None), None)
    assert function.requests[0].body == b""
    assert "traceparent" not in function.requests[0].headers


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_an_empty_answer_means_delivered(functions: Functions, function: Function, status):
    function.answer = lambda _: Reply(status)
    answer = await call(functions, function)
    assert answer == Answer(Fate("ignored", f"delivered to {function.url}", function.url), 1)


@pytest.mark.parametrize("form", [binary, structured, batch], ids=lambda form: form.__name__)
async def test_cloudevents_in_the_answer_are_its_output(functions: Functions, function: Function, form):
    function.answer = lambda _: form(document())
    answer = await call(functions, function)
    assert (answer.fate.fate, answer.fate.rule, answer.attempts) == ("mapped", function.url, 1)
    (made,) = answer.fate.cdevents
    identity = derive_id(function.url, EVENT.source, EVENT.id, "0")
    assert (made.id, made.cause, made.rule) == (identity, (EVENT.source, EVENT.id), function.url)
    assert made.document == document(id=identity)


async def test_a_function_that_chooses_random_ids_yields_the_same_ones_at_every_replay(
    functions: Functions, function: Function
):
    numbers = iter(range(100))
    function.answer = lambda _: batch(*(document(f"random-{next(numbers)}") for _ in range(3)))
    first, again = await call(functions, function), await call(functions, function)
    assert first == again
    assert len({made.id for made in first.fate.cdevents}) == 3


async def test_an_older_cdevent_is_upgraded(functions: Functions, function: Function):
    old = document(type="dev.cdevents.service.deployed.0.1.0", version="0.3.0")
    del old["context"]["specversion"]
    old["subject"]["type"] = "service"
    function.answer = lambda _: structured(old)
    (made,) = (await call(functions, function)).fate.cdevents
    assert made.type == "dev.cdevents.service.deployed.0.3.0"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 301, 307])
async def test_a_refusal_is_a_dead_letter_at_once(functions: Functions, function: Function, status):
    function.answer = lambda _: Reply(status, {"location": "http://127.0.0.1:9/"})
    answer = await call(functions, function)
    reason = f"function {function.url}: refused with {status}"
    assert answer == Answer(Fate("dead", reason, function.url), 1)
    assert len(function.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425, 429])
async def test_a_fault_that_may_pass_is_tried_again_then_a_dead_letter(
    functions: Functions, function: Function, status
):
    function.answer = lambda _: Reply(status, body=b"no")
    answer = await call(functions, function)
    reason = f"function {function.url}: answered {status}"
    assert answer == Answer(Fate("dead", reason, function.url), ATTEMPTS)
    assert function.ids() == ["e-1"] * ATTEMPTS


async def test_a_function_that_recovers_is_heard(functions: Functions, function: Function):
    function.answer = lambda _: Reply(503) if len(function.requests) < 3 else binary(document())
    answer = await call(functions, function)
    assert (answer.fate.fate, answer.attempts) == ("mapped", 3)


@pytest.mark.parametrize(
    "slow", [Reply(delay=5), Reply(body=b"x" * 100, drip=0.2)], ids=["silent", "dripping"]
)
async def test_a_function_that_does_not_come_to_an_end_is_given_up(
    functions: Functions, function: Function, slow
):
    """The time-out is for the whole call: one byte now and then does not extend it."""
    function.answer = lambda _: slow
    started = time.monotonic()
    answer = await call(functions, function)
    assert time.monotonic() - started < ATTEMPTS * 0.5 + 1.5
    assert (answer.fate.fate, answer.attempts) == ("dead", ATTEMPTS)
    assert "no answer" in str(answer.fate.reason)


async def test_a_function_that_is_not_there_is_given_up(functions: Functions):
    answer = await functions.call("http://127.0.0.1:9/", EVENT, None)
    assert answer.fate.reason == "function http://127.0.0.1:9/: no answer (ConnectError)"
    assert answer.attempts == ATTEMPTS


async def test_a_sign_of_life_is_given_at_every_attempt(functions: Functions, function: Function):
    """A function may take longer in all than the watchdog's patience."""
    function.answer = lambda _: Reply(503)
    signs: list[float] = []
    await functions.call(function.url, EVENT, None, lambda: signs.append(time.monotonic()))
    assert len(signs) == ATTEMPTS


def unstorable() -> dict[str, Any]:
    made = document()
    made["subject"]["id"] = "nul \0"
    return made


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(body=b"ok"), "not a CloudEvent"),
        (Reply(headers={"content-type": "text/html"}, body=b"<html>"), "not a CloudEvent"),
        (Reply(headers={"content-type": "application/cloudevents+json"}, body=b"{"), "JSON"),
        (structured({**document(), "subject": {}}), "not a valid CDEvent"),
        (structured(document(type="com.example.other")), "no type 'com.example.other'"),
        (batch(document(), document(type="com.example.other")), "no type 'com.example.other'"),
        (structured(unstorable()), "control character"),
        (Reply(body=b"x" * (LARGEST_ANSWER + 1)), "larger than"),
    ],
    ids=["text", "html", "json", "no content", "foreign", "one of two", "nul", "large"],
)
async def test_an_answer_that_is_no_cdevent_is_a_dead_letter(
    functions: Functions, function: Function, reply, why
):
    function.answer = lambda _: reply
    answer = await call(functions, function)
    assert (answer.fate.fate, answer.attempts, answer.fate.cdevents) == ("dead", 1, ())
    assert why in str(answer.fate.reason)
    assert str(answer.fate.reason).startswith(f"function {function.url}: ")


async def test_an_endless_answer_is_not_read_to_its_end(functions: Functions, function: Function):
    function.answer = lambda _: Reply(body=b"x" * (40 * LARGEST_ANSWER))
    answer = await call(functions, function)
    assert "larger than" in str(answer.fate.reason)


async def test_an_empty_batch_is_an_answer_too(functions: Functions, function: Function):
    function.answer = lambda _: batch()
    assert (await call(functions, function)).fate.fate == "ignored"


@pytest.mark.parametrize("outcome", ["ignored", "unmapped"])
async def test_a_function_may_say_why_there_is_nothing(functions: Functions, function: Function, outcome):
    function.answer = lambda _: Reply(204, {"dora-outcome": outcome, "dora-reason": "f%C3%BCr%20sp%C3%A4ter"})
    answer = await call(functions, function)
    assert answer.fate == Fate(outcome, "für später", function.url)


async def test_an_unknown_outcome_is_nothing_but_delivered(functions: Functions, function: Function):
    function.answer = lambda _: Reply(204, {"dora-outcome": "mapped", "dora-reason": "x"})
    assert (await call(functions, function)).fate.reason == f"delivered to {function.url}"


async def test_cancelling_a_call_is_no_answer(functions: Functions, function: Function):
    function.answer = lambda _: Reply(delay=0.4)
    calling = asyncio.create_task(call(functions, function))
    await asyncio.sleep(0.1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

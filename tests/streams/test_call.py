"""The stage that calls functions, over real HTTP: what it publishes, buries and stores for each event."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from streams import functions as module
from streams.agents import call
from streams.deadletters import DeadLetter
from streams.functions import Functions
from streams.progress import Abandoned, Progress
from streams.records import Arrival, Outgoing, arrival_of
from streams.sinks.cloudevents import SettledEvent
from tests.streams.called import Function, Reply, serving
from tests.streams.messages import Event, message
from tests.streams.produced import cloudevent
from tests.streams.test_functions import binary, document


class Recorder:
    """A pipeline whose effects are only written down, in order."""

    generation = 1
    topics = Topics()

    def __init__(self) -> None:
        self.app: Any = self
        self.progress = Progress()
        self.effects: list[tuple[str, Any]] = []

    def ours(self, events: list[Any]) -> list[Any]:
        return events

    def cdevent_records(self, cdevents: Any, _: str | None) -> list[Any]:
        return list(cdevents)

    async def publish(self, records: list[Any]) -> None:
        self.effects.append(("publish", [each.id for each in records]))

    async def bury(self, letters: list[DeadLetter]) -> None:
        self.effects.append(("bury", letters))

    async def store(self, stage: str, settled: list[SettledEvent]) -> None:
        self.effects.append((f"store {stage}", {each.event.id: each.fate for each in settled}))

    async def close(self, redrives: list[Any]) -> None:
        self.effects.append(("close", redrives))


@pytest.fixture
def function() -> Iterator[Function]:
    with serving() as function:
        yield function


@pytest.fixture
async def functions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Functions]:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    functions = Functions(timeout=5, attempts=2)
    yield functions
    await functions.close()


def forwarded(event_id: str, *urls: str, settles: bool = True) -> Any:
    """An event as the transforming stage passes it on."""
    key, value, headers = cloudevent(event_id)
    arrival = arrival_of(message(7, key=key, value=value, headers=headers), internal_topic=False)
    sent: Outgoing = arrival.forward(
        "functions", b"", 1, targets=" ".join(urls), settles="yes" if settles else "no"
    )
    return Event(message(3, topic="functions", value=sent.value, headers=sent.headers))


async def handled(functions: Functions, *events: Any) -> dict[str, Any]:
    recorder: Any = Recorder()
    await call.handle(recorder, functions, list(events))
    assert [name for name, _ in recorder.effects] == ["publish", "bury", "store call", "close"]
    return dict(recorder.effects)


async def test_outputs_are_confirmed_before_anything_is_stored(functions: Functions, function: Function):
    function.answer = lambda _: binary(document())
    effects = await handled(functions, forwarded("a", function.url), forwarded("b", function.url))
    assert len(set(effects["publish"])) == 2
    assert effects["bury"] == []
    assert {name: fate.fate for name, fate in effects["store call"].items()} == {"a": "mapped", "b": "mapped"}


async def test_each_target_gets_the_event_and_the_best_answer_is_its_fate(
    functions: Functions, function: Function
):
    function.answer = lambda request: binary(document()) if request.path == "/maps" else Reply()
    effects = await handled(functions, forwarded("a", f"{function.url}/views", f"{function.url}/maps"))
    assert [request.path for request in function.requests] == ["/views", "/maps"]
    assert effects["store call"]["a"].fate == "mapped"


async def test_an_event_whose_row_is_stored_already_is_not_settled_again(
    functions: Functions, function: Function
):
    effects = await handled(functions, forwarded("a", function.url, settles=False))
    assert effects["store call"] == {}


async def test_a_dead_letter_names_every_function_that_failed(functions: Functions, function: Function):
    """They are one record, and so one dead letter: two would be taken for one told twice."""
    function.answer = lambda request: Reply(503 if request.path == "/down" else 400)
    effects = await handled(functions, forwarded("a", f"{function.url}/down", f"{function.url}/refuses"))
    (letter,) = effects["bury"]
    assert (letter.stage, letter.attempts) == ("call", 2)
    assert (
        f"{function.url}/down: answered 503; function {function.url}/refuses: refused with 400"
        in letter.reason
    )
    assert (letter.arrival.topic, letter.arrival.offset) == ("cloudevents", 7)
    assert effects["store call"]["a"].fate == "dead"


async def test_a_failed_function_is_a_dead_letter_beside_one_that_answered(
    functions: Functions, function: Function
):
    function.answer = lambda request: Reply(400) if request.path == "/refuses" else binary(document())
    effects = await handled(functions, forwarded("a", f"{function.url}/refuses", f"{function.url}/maps"))
    assert [letter.reason for letter in effects["bury"]] == [
        f"function {function.url}/refuses: refused with 400"
    ]
    assert effects["store call"]["a"].fate == "mapped"
    assert len(effects["publish"]) == 1


async def test_the_dead_letter_holds_the_event_as_it_arrived(functions: Functions, function: Function):
    function.answer = lambda _: Reply(400)
    (letter,) = (await handled(functions, forwarded("a", function.url)))["bury"]
    arrival: Arrival = letter.arrival
    assert read_record(arrival.headers, arrival.value).id == "a"
    assert not [name for name, _ in arrival.headers if name.startswith("dora-")]


async def test_calls_are_abandoned_when_the_partitions_are_given_up(functions: Functions, function: Function):
    """Nothing was published yet, and a rebalance does not wait for a function that takes its time."""
    function.answer = lambda _: Reply(delay=3)
    recorder: Any = Recorder()
    handling = asyncio.create_task(call.handle(recorder, functions, [forwarded("a", function.url)]))
    await asyncio.sleep(0.2)
    assert function.ids() == ["a"]
    recorder.progress.leaving.set()
    with pytest.raises(Abandoned):
        await asyncio.wait_for(handling, 1)
    assert recorder.effects == []

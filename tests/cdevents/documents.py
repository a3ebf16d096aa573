"""CDEvents to test with: official examples, a peer's upgrades, and mutations of them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

FIXTURES = Path(__file__).parent.parent / "fixtures"

SCALARS = (
    None,
    True,
    0,
    1.5,
    2**70,
    "",
    "x",
    "pass",
    "SUCCESS",
    "skipped",
    "job/deploy/17",
    "https://ci.example/17",
    "not a uri \x00",
    "2026-01-31T23:59:60+14:00",
    "0.4.1",
    "dev.cdevents.service.deployed.0.1.1",
    "dev.cdevents.testcase.queued.0.1.0",
    "dev.cdeventsx.dora-commit.pushed.0.1.0",
    "long " * 200,
)
NAMES = ("context", "subject", "content", "type", "version", "url", "uri", "links", "customData", "dora", "x")


def load(path: str) -> Any:
    return json.loads((FIXTURES / path).read_text())


def examples(version: str) -> list[tuple[str, dict[str, Any]]]:
    """The official conformance examples of a version, by name, its custom event included."""
    folder = FIXTURES / "cdevents" / version
    files = [*sorted((folder / "conformance").glob("*.json")), folder / "custom" / "conformance.json"]
    return [(f"{file.parent.parent.name}/{file.stem}", json.loads(file.read_text())) for file in files]


def name_of(value: object) -> str:
    """The id of a parametrised test: the example's name, and not the document."""
    return value if isinstance(value, str) else "as_it_stands"


def example(name: str, version: str = "v0.5.1") -> dict[str, Any]:
    document: dict[str, Any] = load(f"cdevents/{version}/conformance/{name}.json")
    return document


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of ``document`` with ``value`` at the dotted ``path``; ``...`` removes what is there."""
    document = copy.deepcopy(document)
    *parents, last = path.split(".")
    holder = document
    for step in parents:
        holder = holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return document


def nested(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"deeper": document}
    return document


@st.composite
def mutations(draw: st.DrawFn, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """One of ``documents`` after a few random edits: values replaced, removed and added anywhere."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        holders = list(_objects(document))
        holder = draw(st.sampled_from(holders))
        name = draw(st.sampled_from([*holder, *NAMES]))
        value = draw(st.sampled_from((*SCALARS, [], {}, {"id": ""}, ["x"], ...)))
        if value is ...:
            holder.pop(name, None)
        else:
            holder[name] = copy.deepcopy(value)
    return document


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)

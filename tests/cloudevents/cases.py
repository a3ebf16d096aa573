"""The cases under tests/fixtures/cloudevents, read from their files."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import read_message

FIXTURES = Path(__file__).parents[1] / "fixtures"
FOLDER = FIXTURES / "cloudevents"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def http_headers(case: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """As an ASGI server hands them over."""
    return [(k.lower().encode(), v.encode("latin-1")) for k, v in case["request"]["headers"].items()]


def http_body(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["request"]["body_b64"])


def read_case(case: dict[str, Any]) -> list[CloudEvent]:
    return read_message(http_headers(case), http_body(case)).events


def kafka_record(case: dict[str, Any]) -> tuple[list[tuple[str, bytes | None]], bytes | None]:
    def value_of(raw: Any) -> bytes | None:
        if raw is None:
            return None
        return base64.b64decode(raw["bytes_b64"]) if isinstance(raw, dict) else raw.encode()

    record = case["record"]
    headers = [(name, value_of(raw)) for name, raw in record["headers"]]
    return headers, None if record["value_b64"] is None else base64.b64decode(record["value_b64"])


def format_tests(kind: str) -> list[dict[str, Any]]:
    path = FOLDER / "conformance/format-json-pr33" / f"{kind}.json"
    return json.loads(path.read_text(encoding="utf-8-sig"))["tests"]


@dataclass
class Scenario:
    """One scenario of an official .feature file, its outline filled in."""

    name: str
    request: str | None = None
    payload: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    data: Any = None


def scenarios(name: str) -> list[Scenario]:
    text = (FOLDER / "conformance/features" / f"{name}.feature").read_text()
    blocks = re.split(r"^ +Scenario(?: Outline)?: ", text, flags=re.MULTILINE)[1:]
    return [_scenario(filled) for block in blocks for filled in _filled(block)]


def _filled(block: str) -> Iterator[str]:
    body, _, examples = block.partition("Examples:")
    rows = _table(examples)
    for row in rows[1:] or [[]]:
        text = body
        for name, value in zip(rows[0] if rows else [], row, strict=True):
            text = text.replace(f"<{name}>", value)
        yield text


def _scenario(text: str) -> Scenario:
    scenario = Scenario(text.splitlines()[0].strip())
    for step in re.split(r"^ +(?:Given|And|When|Then) ", text, flags=re.MULTILINE)[1:]:
        title, quoted = step.splitlines()[0], re.search(r'"""\n(.*?)\n *"""', step, re.DOTALL)
        table = {row[0]: row[1] for row in _table(step)[1:]}
        if title.startswith("an HTTP request"):
            scenario.request = _dedented(quoted)
        elif title.startswith("a Kafka message"):
            scenario.payload = _dedented(quoted)
        elif title.startswith("Kafka headers"):
            scenario.headers = table
        elif title.startswith("the attributes are"):
            scenario.attributes = table
        elif title.startswith("the data is equal"):
            scenario.data = json.loads(_dedented(quoted))
        elif not title.startswith("parsed as"):
            raise ValueError(f"a step that this reader does not know: {title}")
    return scenario


def _table(text: str) -> list[list[str]]:
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _dedented(quoted: re.Match[str] | None) -> str:
    assert quoted is not None
    return "\n".join(line.removeprefix("        ") for line in quoted[1].splitlines())


class _TextLoader(yaml.SafeLoader):
    """YAML that leaves 1.0 and timestamps as the text that the official tool sends."""


_TextLoader.yaml_implicit_resolvers = {}


def yaml_events() -> list[dict[str, Any]]:
    folder = FOLDER / "conformance/yaml"
    texts = [(folder / "v1.yaml").read_text(), (folder / "v1.0/v1_minimum.yaml").read_text()]
    return [event for text in texts for event in yaml.load_all(text, Loader=_TextLoader)]


def same_instant(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)

"""docs/ingress.md says everything that can be set, answered and counted."""

import re
import shlex
from pathlib import Path

import pytest

from ingress import problems
from ingress.metrics import Metrics
from ingress.problems import Kind
from ingress.settings import Settings
from tests.ingress.recording import Ingress

PAGE = (Path(__file__).parents[2] / "docs/ingress.md").read_text()
EXAMPLES = re.findall(r"^\$ (curl .*?)(?=^HTTP|^```)", PAGE, re.MULTILINE | re.DOTALL)
KINDS = [kind for kind in vars(problems).values() if isinstance(kind, Kind)]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str):
    row = re.search(rf"^\| `DORA_{name.upper()}` \|\s*(.*?)\s*\|", PAGE, re.MULTILINE)
    assert row is not None
    default = Settings.model_fields[name].default
    shown = "" if default in (None, "") else f"`{default}`" if isinstance(default, str) else f"{default:g}"
    assert row[1] in (shown, str(default))


def test_there_is_an_example_of_each_mode():
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("example", EXAMPLES)
async def test_every_example_is_accepted(ingress: Ingress, example: str):
    words = shlex.split(example)
    headers = [words[at + 1].partition(": ") for at, word in enumerate(words) if word == "-H"]
    answer = await ingress.client.post(
        next(word for word in words if word.startswith("http://")).removeprefix("http://127.0.0.1:8080"),
        headers={name: value for name, _, value in headers},
        content=words[words.index("-d") + 1],
    )
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_problem_is_documented_with_its_status(kind: Kind):
    assert f"| {kind.status} | `{kind.name}` |" in PAGE


def test_every_metric_is_documented():
    for family in Metrics().registry.collect():
        assert f"`{family.name}" in PAGE, family.name


def test_nothing_is_documented_that_does_not_exist():
    assert {name.upper() for name in Settings.model_fields} == set(re.findall(r"\| `DORA_(\w+)` \|", PAGE))
    assert {kind.name for kind in KINDS} == set(
        re.findall(r"^\| [45]\d\d \| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    )

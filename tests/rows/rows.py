"""Which tests prove which rows: read off the tests' names, ``test_p8_b12_...``."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
LIST = Path(__file__).with_name("rows.yaml")

_NAME = re.compile(r"test_((?:[pbakrdqs]\d+_)+)")


@dataclass(frozen=True)
class Row:
    """One fault. ``elsewhere`` is why it is not tested here; empty when it is."""

    id: str
    group: str
    fault: str
    elsewhere: str = ""


def read_rows() -> list[Row]:
    """All rows, in the order of their groups."""
    groups = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [Row(name, group["group"], **told) for group in groups for name, told in group["rows"].items()]


def rows_named_by(test: str) -> list[str]:
    """The ids in a test's name: ``P8`` and ``B12`` of ``test_p8_b12_attributes``."""
    found = _NAME.match(test)
    return [part.upper() for part in found[1].rstrip("_").split("_")] if found else []


def find_proofs(folder: Path = TESTS) -> dict[str, list[str]]:
    """Each row's tests as ``tests/ingress/test_events.py::test_p8_attributes``, sorted."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for name in _functions(path):
            for row in rows_named_by(name):
                found[row].append(f"{path.relative_to(folder.parent).as_posix()}::{name}")
    return {row: sorted(tests) for row, tests in found.items()}


def _functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name

"""What became of the tests of the rows when they were last run, out of pytest's JUnit reports."""

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as Xml

from tests.rows.rows import rows_named_by

FILE = Path(__file__).with_name("results.json")
WORDS = {"failure": "failed", "error": "failed", "skipped": "skipped"}

Results = dict[str, dict[str, int]]


def read_results(file: Path = FILE) -> Results:
    """Outcomes by test: ``{"tests/a/test_b.py::test_p1_c": {"passed": 12}}``."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def read_report(report: Path) -> Results:
    """The same out of one JUnit report, parameters of a test counted together."""
    found: dict[str, Counter[str]] = {}
    for case in Xml.parse(report).iter("testcase"):  # noqa: S314 - a report that pytest has just written
        name = case.attrib["name"].split("[")[0]
        if rows_named_by(name):
            test = f"{_path(case.attrib['classname'])}::{name}"
            found.setdefault(test, Counter())[_outcome(case)] += 1
    return {test: dict(counted) for test, counted in found.items()}


def merge(before: Results, *reports: Results) -> Results:
    """Newer results instead of older ones, except that a skip replaces nothing that was run."""
    merged = dict(before)
    for report in reports:
        for test, counted in report.items():
            if test not in merged or set(counted) != {"skipped"}:
                merged[test] = counted
    return dict(sorted(merged.items()))


def _outcome(case: Xml.Element) -> str:
    return next((WORDS[child.tag] for child in case if child.tag in WORDS), "passed")


def _path(classname: str) -> str:
    """``tests.ingress.test_events`` and ``tests.ingress.test_events.TestClass`` as the file's path."""
    parts = classname.split(".")
    last = max(place for place, part in enumerate(parts) if part.startswith("test_"))
    return "/".join(parts[: last + 1]) + ".py"

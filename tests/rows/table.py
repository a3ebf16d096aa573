"""docs/faults.md: each fault, the tests that prove what is owed, and how they ended.

    python -m tests.rows.table [REPORT.xml ...]

With JUnit reports (``./dora test --junitxml=REPORT.xml``) their outcomes are kept in results.json first.
"""

import json
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

from tests.rows.results import FILE, Results, merge, read_report, read_results
from tests.rows.rows import Row, find_proofs, read_rows

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# Faults

Faults and bad inputs, row by row: the tests that show what becomes of each, and how they ended when the
results were last recorded. What is promised is in [guarantees](guarantees.md). The row's id is in the test's
name, so `./dora test -k p13` runs the tests of P13.

Made by `python -m tests.rows.table`; do not edit.
"""


def write_page(results: Results) -> str:
    """The whole page."""
    tests = find_proofs()
    parts = [HEAD]
    for group, rows in groupby(read_rows(), key=lambda row: row.group):
        parts.append(f"## {group}\n\n| row | fault | tests | result |\n| --- | --- | --- | --- |")
        parts.append("\n".join(_line(row, tests.get(row.id, []), results) for row in rows) + "\n")
    return "\n".join(parts)


def _line(row: Row, tests: list[str], results: Results) -> str:
    shown = "<br>".join(_link(test) for test in tests) or f"not tested here: {row.elsewhere}"
    return f"| {row.id} | {row.fault} | {shown} | {_result(tests, results)} |"


def _link(test: str) -> str:
    path, name = test.split("::")
    return f"[{name}](../{path})"


def _result(tests: list[str], results: Results) -> str:
    counted = sum((Counter(results.get(test, {"not recorded": 1})) for test in tests), Counter[str]())
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items()))


def main(reports: list[str]) -> None:
    """Take the reports in, and write the page."""
    present = {test for tests in find_proofs().values() for test in tests}
    merged = merge(read_results(), *(read_report(Path(report)) for report in reports))
    results = {test: counted for test, counted in merged.items() if test in present}
    FILE.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(write_page(results), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

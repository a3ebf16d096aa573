"""docs/faults.md is what the rows and the tests' names say; no row is without a test or a reason."""

from pathlib import Path

import pytest

from tests.rows.results import merge, read_report, read_results
from tests.rows.rows import find_proofs, read_rows, rows_named_by
from tests.rows.table import PAGE, write_page

PROOFS = find_proofs()

REPORT = """<testsuites><testsuite>
<testcase classname="tests.a.test_b" name="test_p1_p2_c[x]"/>
<testcase classname="tests.a.test_b" name="test_p1_p2_c[y]"><failure/></testcase>
<testcase classname="tests.a.test_b.TestD" name="test_s7_e"><skipped/></testcase>
<testcase classname="tests.a.test_b" name="test_else"/>
</testsuite></testsuites>"""


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(read_results()), "run: python -m tests.rows.table"


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: row.id)
def test_every_row_has_a_test_or_a_reason_why_not(row) -> None:
    assert bool(PROOFS.get(row.id)) != bool(row.elsewhere), row


def test_every_id_in_a_name_is_a_row() -> None:
    assert set(PROOFS) <= {row.id for row in read_rows()}


def test_there_are_a_hundred_rows() -> None:
    assert len(read_rows()) == 100


def test_rows_are_read_off_names() -> None:
    assert rows_named_by("test_p8_b12_attributes") == ["P8", "B12"]
    assert rows_named_by("test_p8attributes") == []


def test_reports_are_counted_by_test(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert read_report(report) == {
        "tests/a/test_b.py::test_p1_p2_c": {"passed": 1, "failed": 1},
        "tests/a/test_b.py::test_s7_e": {"skipped": 1},
    }


def test_a_skip_replaces_no_result() -> None:
    assert merge({"a": {"passed": 1}}, {"a": {"skipped": 1}, "b": {"skipped": 1}}) == {
        "a": {"passed": 1},
        "b": {"skipped": 1},
    }
    assert merge({"a": {"passed": 1}}, {"a": {"failed": 1}}) == {"a": {"failed": 1}}

"""Lines of text as rows: separators, quotes, line ends, and rows that are none."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.imports import tables
from deploy.imports.tables import BadRow, NoTable, Row, read_table


def read(text: str) -> tuple[dict[str, int], list[Row | BadRow]]:
    table = read_table(io.StringIO(text, newline=""))
    return table.headings, list(table.rows)


def cells(text: str) -> list[dict[str, object]]:
    return [row.cells for row in read(text)[1] if isinstance(row, Row)]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "a;b\r\n1;2\r\n",
        "a\tb\r1\t2",
        "a|b\n1|2\n",
        "sep=;\na;b\n1;2\n",
        "\n\n a , b \n1,2\n\n,\n",
        '{"a": "1", "b": "2"}\n\n',
        'a,b\n"1","2"\n',
        "a,b\n1,2,,\n",
    ],
)
def test_one_row_however_it_is_written(text: str):
    assert cells(text) == [{"a": "1", "b": "2"}]


def test_quotes_hold_separators_quotes_and_line_ends_and_rows_know_their_lines():
    text = 'a,b\r\n1,"x, ""y""\r\nz"\r\n2,w\r\n'
    _, rows = read(text)
    assert [(row.line, row.cells["b"]) for row in rows] == [(2, 'x, "y"\r\nz'), (4, "w")]
    assert "".join(row.text for row in rows) == text[5:]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('a,b\n1,"x\n2,y\n3,z\n', 2, "does not end"),
        ('a,b\n1,"x"y\n2,y\n3,z\n', 2, "write a quote within as two"),
        ("a,b\n1,x,7\n2,y\n3,z\n", 2, "3 fields under 2 columns"),
        ('{"a": 2}\n[1]\n{"a": 2, "b": "y"}\n{"a": 3, "b": "z"}\n', 2, "no JSON object"),
        ('{"a": 2}\n{"a"\n{"a": 2, "b": "y"}\n{"a": 3, "b": "z"}\n', 2, "no JSON"),
        ('{"a": 2}\n' + "[" * 100_000 + '\n{"a": 2, "b": "y"}\n{"a": 3, "b": "z"}\n', 2, "no JSON"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_stops_nothing(text: str, line: int, told: str):
    _, rows = read(text)
    [bad] = [row for row in rows if isinstance(row, BadRow)]
    assert bad.line == line
    assert told in bad.reason
    assert [row.cells.get("b") for row in rows if isinstance(row, Row)][-2:] == ["y", "z"]


def test_a_field_may_be_huge():
    assert [len(str(row["b"])) for row in cells(f'a,b\n1,"{"x" * 1_000_000}"\n')] == [1_000_000]


def test_a_quote_that_swallows_everything_ends_at_some_length(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "LONGEST_RECORD", 1000)
    first, *others = read('a,b\n1,"x\n' + "2,y\n" * 1000)[1]
    assert isinstance(first, BadRow)
    assert "does not end" in first.reason
    assert [row.cells for row in others if isinstance(row, Row)] == [{"a": "2", "b": "y"}] * 1000


def test_a_short_row_has_nothing_in_its_last_columns():
    assert cells("a,b\n1\n") == [{"a": "1"}]


def test_headings_that_occur_twice_are_counted():
    assert read("a,b,a,\n1,2,3,4\n")[0] == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("\r\n \n", "it is empty"),
        ('[{"a": 1}]', "one object a line"),
        ('"a,b\n1,2\n', "names its columns"),
        ("sep=;\n", "is missing"),
    ],
)
def test_what_is_no_table_is_said_at_once(text: str, told: str):
    with pytest.raises(NoTable, match=told):
        read(text)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\t\r\n'), max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_what_any_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]], separator: str, end: str):
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second"), *rows])
    assert [(row["first"], row["second"]) for row in cells(written.getvalue())] == rows


@given(st.lists(st.sampled_from(["a,b\n", '"', "\n", "1,2\n", "x", ",", "\r"]), max_size=30))
def test_nothing_is_lost_whatever_is_in_a_file(parts: list[str]):
    body = "".join(parts)
    rows = read(f"a,b\n{body}")[1]
    kept = "".join(row.text for row in rows)
    empty = str.maketrans("", "", ',"')  # of rows without anything in them
    assert sorted(kept.translate(empty).split()) == sorted(body.translate(empty).split())

"""Rows out of lines of text: CSV with any usual separator, or JSON lines of flat objects.

Pure: lines in, rows out, one at a time. A row that cannot be read is a ``BadRow`` with its line and does not
stop what follows; a file that as a whole is no table raises ``NoTable``.
"""

import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

SEPARATORS = ",;\t|"
# Characters. Descriptions of issues have up to a million; a quote that is never closed ends here.
LONGEST_RECORD = 4_000_000
_SAID = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel's own first line


class NoTable(Exception):
    """The file holds no table; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the text, number, truth or ``None`` under each heading. ``line`` is where it begins."""

    line: int
    cells: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A place that holds no row, and why."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """``headings`` in their order, each with how often it occurs; none where every row names its own."""

    headings: dict[str, int]
    rows: Iterator[Row | BadRow]


@dataclass(slots=True)
class _Lines:
    """Lines for the reader of CSV: those of the current record are remembered, and can be given back."""

    lines: Iterator[str]
    line: int  # of the next one
    ahead: deque[str] = field(default_factory=deque)
    taken: list[str] = field(default_factory=list)
    length: int = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.length > LONGEST_RECORD:
            raise csv.Error("it is longer than a record can be")
        text = self.ahead.popleft() if self.ahead else next(self.lines)
        self.taken.append(text)
        self.length += len(text)
        return text

    def done(self, number: int) -> str:
        """The text of the first ``number`` lines taken; what was taken beyond them comes again."""
        text = "".join(self.taken[:number])
        self.ahead.extendleft(reversed(self.taken[number:]))
        self.line += number
        self.taken, self.length = [], 0
        return text


def read_table(lines: Iterable[str]) -> Table:
    """The table in ``lines``, each with its end. Raises ``NoTable``."""
    csv.field_size_limit(LONGEST_RECORD)  # of the whole process, which has no other CSV
    rest = iter(lines)
    number, first = next(((at, text) for at, text in enumerate(rest, 1) if text.strip()), (0, ""))
    if not first:
        raise NoTable("it is empty; the first line of a table names its columns")
    if first.lstrip()[0] == "[":
        raise NoTable("it is one JSON array; write one object a line, as `jq -c '.[]'` does")
    if first.lstrip()[0] == "{":
        return Table({}, _objects(chain([first], rest), number))
    if (said := _SAID.fullmatch(first)) is not None:
        return _table(said[1], _Lines(rest, number + 1))
    separator = max(SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each))))
    return _table(separator, _Lines(chain([first], rest), number))


def _table(separator: str, lines: _Lines) -> Table:
    records = _records(csv.reader(lines, delimiter=separator, strict=True), lines)
    header = next(records, None)
    if header is None or isinstance(header, BadRow):
        reason = "the line with the names of the columns is missing" if header is None else header.reason
        raise NoTable(f"{reason}; the first line of a table names its columns")
    names = [name.strip() for name in header[1]]
    return Table({name: names.count(name) for name in names if name}, _rows(records, names))


def _records(reader: Iterator[list[str]], lines: _Lines) -> Iterator[tuple[int, list[str], str] | BadRow]:
    while True:
        begin = lines.line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The lines behind the first may be good rows: an open quote has swallowed them.
            yield BadRow(begin, f"no CSV: {_explained(str(error))}", lines.done(1))
        else:
            yield begin, cells, lines.done(len(lines.taken))


def _explained(error: str) -> str:
    if "unexpected end" in error or "longer" in error or "limit" in error:
        return "a quoted text that begins here does not end; close it, and write a quote within as two"
    return f'{error}; put texts with quotes or separators in "", and write a quote within as two'


def _rows(records: Iterable[tuple[int, list[str], str] | BadRow], names: list[str]) -> Iterator[Row | BadRow]:
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        line, cells, text = record
        if not any(cell.strip() for cell in cells):
            continue  # spreadsheets end in rows of separators alone
        if any(cell.strip() for cell in cells[len(names) :]):
            reason = (
                f"{len(cells)} fields under {len(names)} columns; put texts that hold a separator in quotes"
            )
            yield BadRow(line, reason, text)
        else:
            yield Row(line, dict(zip(names, cells, strict=False)), text)


def _objects(lines: Iterable[str], first: int) -> Iterator[Row | BadRow]:
    for number, text in enumerate(lines, first):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            told = error.msg if isinstance(error, json.JSONDecodeError) else "it nests too deep"
            yield BadRow(number, f"no JSON: {told}", text)
            continue
        if isinstance(value, dict):
            yield Row(number, {name.strip(): cell for name, cell in value.items()}, text)
        else:
            yield BadRow(number, "no JSON object; write one flat object a line", text)

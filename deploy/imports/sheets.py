"""Files of rows, as the backfill plays them: each row the requests that `dora report` would make of it."""

import csv
import hashlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from deploy.backfill import Item
from deploy.imports.columns import Plan, columns_of
from deploy.imports.reports import LeftOut, reports_of
from deploy.imports.tables import BadRow, NoTable, Row, Table, read_table
from deploy.messages import Unreadable
from deploy.reporting import message_of

WORKBOOK = b"PK\x03\x04"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"


class ImportRefused(Exception):
    """A file cannot be read as rows; the message says what to do. Nothing of it was sent."""


@dataclass(slots=True)
class Sheet:
    """A file of rows. ``left_out`` and ``repeated`` are of the last time its items were read."""

    name: str
    path: Path
    digest: str
    plan: Plan
    token: str | None
    encoding: str
    left_out: Counter[str] = field(default_factory=Counter)
    repeated: int = 0

    @classmethod
    def of(cls, name: str, path: Path, plan: Plan, token: str | None, encoding: str) -> "Sheet":
        """The file at ``path``. Its digest is of all that it says and of how it is read.

        A file that was edited is another, wherever it is. Raises ``OSError``.
        """
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256(f"{content}\n{plan!r}\n{encoding}".encode()).hexdigest()
        return cls(name, path, digest, plan, token, encoding)

    def check(self) -> dict[str, str]:
        """Field → heading of what will be read; by the first row where each row names its own.

        Raises ``ImportRefused``.
        """
        with self._table() as table:
            first = next(table.rows, None)
            if first is None:
                raise NoTable("it has no rows below the names of its columns")
            if table.headings:
                return columns_of(self.plan, table.headings)
            return columns_of(self.plan, dict.fromkeys(first.cells, 1)) if isinstance(first, Row) else {}

    def items(self) -> Iterator[Item]:
        """Its requests in order, and the rows that are none."""
        self.left_out.clear()
        self.repeated = 0
        seen: set[bytes] = set()
        with self._table() as table:
            columns = columns_of(self.plan, table.headings) if table.headings else None
            for row in table.rows:
                yield from self._requests(row, columns, seen)

    def _requests(
        self, row: Row | BadRow, columns: dict[str, str] | None, seen: set[bytes]
    ) -> Iterator[Item]:
        origin, text = f"{self.name}:{row.line}", row.text.encode(errors="surrogateescape")
        match self._read(row, columns):
            case BadRow(reason=reason):
                yield Unreadable(origin, reason, len(text), text)
            case LeftOut(why=why):
                self.left_out[why] += 1
            case bodies:
                digest = hashlib.sha256(b"\n".join(bodies)).digest()[:16]
                self.repeated += digest in seen
                seen.add(digest)
                for body in bodies:
                    request = message_of(body, self.token)
                    yield replace(request, origin=origin, weight=len(text) // len(bodies))

    def _read(self, row: Row | BadRow, columns: dict[str, str] | None) -> list[bytes] | LeftOut | BadRow:
        if isinstance(row, BadRow):
            return row
        if columns is None:
            try:
                columns = columns_of(self.plan, dict.fromkeys(row.cells, 1))
            except NoTable as error:
                return BadRow(row.line, str(error), row.text)
        return reports_of(row, columns, self.plan)

    @contextmanager
    def _table(self) -> Iterator[Table]:
        with self.path.open("rb") as file:
            begin = file.read(4)
        if begin == WORKBOOK:
            raise ImportRefused(f"{self.name} is a workbook; save the sheet as CSV UTF-8 and import that")
        encoding = "utf-16" if begin[:2] in UTF_16 else self.encoding
        # The reader of CSV finds the ends of lines itself: within quotes they are text.
        with self.path.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
            try:
                yield read_table(lines)
            except NoTable as error:
                raise ImportRefused(f"{self.name}: {error}") from None
            except csv.Error as error:
                raise ImportRefused(f"{self.name} is no CSV: {error}") from None
            except UnicodeError:
                raise ImportRefused(
                    f"{self.name} is not {encoding}; name what it is with --encoding"
                ) from None


@contextmanager
def sheets_of(names: Sequence[str], plan: Plan, token: str | None, encoding: str) -> Iterator[list[Sheet]]:
    """The files that are named; ``-`` is standard input, which is kept while it is read twice.

    Raises ``OSError`` for a file that cannot be read.
    """
    with tempfile.NamedTemporaryFile(prefix="dora-import-") as kept:
        if "-" in names:
            _keep(sys.stdin.buffer, kept)
        yield [
            Sheet.of("standard input", Path(kept.name), plan, token, encoding)
            if name == "-"
            else Sheet.of(name, Path(name), plan, token, encoding)
            for name in dict.fromkeys(names)
        ]


def _keep(incoming: IO[bytes], kept: IO[bytes]) -> None:
    shutil.copyfileobj(incoming, kept)
    kept.flush()

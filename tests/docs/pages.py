"""The pages of the documentation, and ways to read them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]


def section(page: str, title: str) -> str:
    """The text under a heading of the second level, to the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of the tables in ``text``, heads and rules included."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def first_cells(text: str) -> list[str]:
    """The first cell of every row."""
    return [cells[0] for cells in rows(text)]


def quoted(cells: Iterable[str], pattern: str) -> set[str]:
    """What stands in backticks in ``cells`` and matches ``pattern``."""
    return {name for cell in cells for name in re.findall(rf"`({pattern})`", cell)}


def blocks(page: str, language: str, beginning: str = "") -> list[str]:
    """The blocks of code in a language that begin with some text."""
    pattern = rf"^```{language}\n({re.escape(beginning)}.*?)^```"
    return re.findall(pattern, page, re.MULTILINE | re.DOTALL)


def files_in(page: str) -> dict[str, str]:
    """The files that a page shows: a path in backticks alone on a line, then a block of code."""
    return dict(re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL))

"""All pages: their links lead somewhere, the code names pages that exist, every dependency has its reason."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, first_cells, quoted

ROOMS = ("deploy", "ingress", "query", "schemas", "streams", "benchmarks")
CODE = [
    ROOT / "dora",
    ROOT / "pyproject.toml",
    *(file for room in ROOMS for file in (ROOT / room).rglob("*.py")),
]
NAMED = [
    (file.relative_to(ROOT), page, title)
    for file in CODE
    for page, title in re.findall(r'(docs/[\w/-]+\.md)(?:, "([^"]+)")?', file.read_text())
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text()), link


def anchors(text: str) -> set[str]:
    """The anchors that a forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("file", "page", "title"), NAMED)
def test_the_code_names_pages_and_sections_that_exist(file: Path, page: str, title: str):
    text = (ROOT / page).read_text()
    assert not title or re.search(rf"^## {re.escape(title)}$", text, re.MULTILINE)


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text()
    pages = {page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS)}
    assert {page for page in pages if f"({page})" not in index} == {"README.md"}


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    packages = {re.split(r"[\[<>=;\s]", line)[0] for lines in wanted for line in lines}
    before, _, _ = (DOCS / "dependencies.md").read_text().partition("\n## Locks\n")
    assert quoted(first_cells(before), "[a-z0-9-]+") == packages

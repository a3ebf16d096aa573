"""docs/sources/github.md and docs/webhooks.md name everything that there is, and nothing else."""

import re

from ingress.providers import find_providers
from streams.github.ignored import REASONS
from streams.transformers import github
from tests.docs.pages import DOCS, first_cells, quoted, section

# By which the CloudEvents adapter calls them; GitHub's own names are in the page.
ADAPTER_NAMES = {"issue", "installation_repository"}


def test_every_event_of_github_is_in_the_page_and_no_other():
    page = (DOCS / "sources" / "github.md").read_text()
    named = quoted(first_cells(section(page, "What becomes of it")), "[a-z0-9_]+")
    assert named == set(github.source._handlers) - ADAPTER_NAMES


def test_ignored_events_are_in_the_second_table():
    page = section((DOCS / "sources" / "github.md").read_text(), "What becomes of it")
    _, ignored = page.split("Understood, and ignored")
    assert quoted(first_cells(ignored), "[a-z0-9_]+") == set(REASONS) - ADAPTER_NAMES


def test_every_provider_of_web_hooks_is_in_the_page_and_no_other():
    page = (DOCS / "webhooks.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) == set(find_providers())

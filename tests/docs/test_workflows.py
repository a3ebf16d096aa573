"""Workflows of GitHub Actions, in the repository and in what the documentation gives others to copy."""

import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import PAGES, ROOT, blocks

# What anybody who opens a pull request may choose; inside of a script it is code.
CHOSEN_BY_STRANGERS = re.compile(r"\$\{\{[^}]*github\.(event\.|head_ref|actor)[^}]*\}\}")
STEP = re.compile(r"uses:\s*(\S+)")
PINNED = re.compile(r"[^@]+@[0-9a-f]{40}")


def faults_of(text: str, *, whole: bool) -> list[str]:
    """What zizmor would say of the three things that matter most; ``whole`` for a file, not a step of one."""
    faults = [f"{action}: pin it by its commit" for action in STEP.findall(text) if not PINNED.match(action)]
    faults += [f"{found[0]}: pass it by env" for found in CHOSEN_BY_STRANGERS.finditer(text)]
    if whole and not re.search(r"^permissions:", text, re.MULTILINE):
        faults.append("no permissions at the top: a token then has what the organisation gives it")
    return faults


def workflows() -> Iterator[tuple[str, str, bool]]:
    """Where, what, and whether it is a whole file."""
    for path in sorted((ROOT / ".github" / "workflows").glob("*.y*ml")):
        yield path.name, path.read_text(encoding="utf-8"), True
    for page in PAGES:
        for number, block in enumerate(blocks(page.read_text(encoding="utf-8"), "yaml")):
            if "${{" in block or "uses:" in block:
                yield f"{page.name}, block {number}", block, False


def test_s7_workflows_pin_what_they_run_and_trust_no_stranger() -> None:
    found = {where: faults_of(text, whole=whole) for where, text, whole in workflows()}
    assert found, "docs/reporting.md gives a step for GitHub Actions"
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("permissions: {}\nuses: actions/checkout@v4", "actions/checkout@v4: pin it by its commit"),
        ("permissions: {}\nrun: echo ${{ github.event.issue.title }}", "pass it by env"),
        ("jobs: {}", "no permissions"),
    ],
)
def test_s7_a_careless_workflow_is_noticed(text: str, fault: str) -> None:
    assert any(fault in each for each in faults_of(text, whole=True))

"""docs/upstream.md: the patches that are offered fit what is installed, and make Python of it."""

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "upstream.md"
PACKAGES = {"faust": "faust-streaming", "aiokafka": "aiokafka"}
_PATCH = re.compile(
    r"^## (.+?)$.*?^```diff\n--- a/(\S+)\n\+\+\+ b/\2\n@@\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


class Patch(NamedTuple):
    """One hunk: the lines that a file has, and what they become."""

    title: str
    file: str
    before: str
    after: str


def patches() -> list[Patch]:
    found = []
    for title, file, hunk in _PATCH.findall(PAGE.read_text(encoding="utf-8")):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        found.append(Patch(title, file, before, after))
    return found


def test_every_patch_of_the_page_is_found():
    assert len(patches()) == PAGE.read_text(encoding="utf-8").count("```diff") > 0


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.title)
def test_a_patch_fits_what_is_installed(patch: Patch):
    package = distribution(PACKAGES[patch.file.partition("/")[0]])
    source = Path(str(package.locate_file(patch.file))).read_text(encoding="utf-8")
    assert source.count(patch.before) == 1, f"{package.name} {package.version} is another: look, then mend it"
    compile(source.replace(patch.before, patch.after), patch.file, "exec")

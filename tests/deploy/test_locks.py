"""The dependency locks: complete, agreeing, hash-pinned, and naming no registry."""

import re
import tomllib
from pathlib import Path

import pytest

from deploy.locks import ROOT, wanted

PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def versions(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text()))


def plain(requirement: str) -> str:
    """The normalized name at the beginning of a requirement."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_s4_every_package_has_hashes_and_no_registry_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
        assert "--hash=sha256:" in block, block


def test_the_locks_agree() -> None:
    together: dict[str, str] = {}
    for lock in LOCKS:
        for name, version in versions(lock).items():
            assert together.setdefault(name, version) == version, f"{name} in {lock.name}"


def test_everything_wanted_is_locked() -> None:
    for name, requirements in wanted().items():
        missing = {plain(each) for each in requirements} - versions(ROOT / name).keys()
        assert not missing, f"{name} lacks {missing}: run ./dora locks"


def test_the_project_needs_the_python_that_the_locks_were_made_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"

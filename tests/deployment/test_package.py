"""What is shipped holds every file that the processes read: templates, assets, statements, schemas."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.deployment.engine import docker
from tests.deployment.kubernetes import ROOT

ROOMS = ("access", "ingress", "streams", "query", "schemas")


def shipped() -> set[str]:
    """Every file of the rooms in the checkout but what Python, editors and package managers leave."""
    return {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*")
        if file.is_file()
        and not any(part.startswith(".") or part in LEFT for part in file.relative_to(ROOT).parts)
    }


LEFT = {"__pycache__", "node_modules"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the wheel, built from a copy so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for room in (*ROOMS, "deploy"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns(*LEFT))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(folder / "dist")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_wheel_holds_every_file_of_the_rooms(wheel: set[str]):
    assert sorted(shipped() - wheel) == []


def test_the_wheel_holds_the_rooms_and_no_tests(wheel: set[str]):
    tops = {name.partition("/")[0] for name in wheel}
    assert {each for each in tops if not each.endswith(".dist-info")} == {*ROOMS, "deploy"}


@pytest.mark.docker
@pytest.mark.timeout(1200)
def test_the_image_holds_every_file_of_the_rooms(image: str):
    listing = docker("run", "--rm", "--entrypoint", "find", image, "/opt/dora/app", "-type", "f")
    held = {str(Path(line).relative_to("/opt/dora/app")) for line in listing.splitlines()}
    assert sorted(shipped() - held) == []

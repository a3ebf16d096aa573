"""docs/adding-a-source.md: its files, put into a copy of the project, do what the page says."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from deploy.embedded.ports import free_port
from schemas.cloudevents.event import CloudEvent
from streams.functions import Functions
from streams.router import Routes, read_routes
from streams.sources import find_sources
from tests.docs.pages import DOCS, ROOT, blocks, files_in

PAGE = (DOCS / "adding-a-source.md").read_text()
FILES = files_in(PAGE)
COPIED = ("access", "deploy", "ingress", "query", "schemas", "streams", "tests/infra", "tests/sources")
SHIP = "tests/sources/ship/rollout_ended/ok"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the example in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, folder / name)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def python_in(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of the project."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, **options)


def run_evidence(folder: Path, expression: str) -> subprocess.CompletedProcess[str]:
    return python_in(folder, "-m", "pytest", "tests/sources/test_evidence.py", "-q", "-k", expression)


def test_the_sources_pass_their_own_evidence(checkout: Path):
    done = run_evidence(checkout, "ship or crane")
    assert done.returncode == 0, done.stdout
    assert "11 passed" in done.stdout, done.stdout  # three for each case, one for each source's module


def test_without_its_evidence_a_source_fails_the_build(checkout: Path, tmp_path: Path):
    bare = shutil.copytree(checkout, tmp_path / "bare")
    shutil.rmtree(bare / "tests/sources/ship")
    done = run_evidence(bare, "ship")
    assert done.returncode == 1
    assert "put what ship really sends into" in done.stdout


def test_the_sources_are_clean_code(checkout: Path):
    modules = [name for name in FILES if name.startswith(("streams/", "ingress/"))]
    assert len(modules) == 3
    for lint in (("check",), ("format", "--check")):
        done = python_in(checkout, "-m", "ruff", *lint, "--no-cache", *modules)
        assert done.returncode == 0, done.stdout


def test_the_command_records_what_is_expected(checkout: Path, tmp_path: Path):
    (command,) = blocks(PAGE, "sh", "dora transform --record ")
    assert command.split() == ["dora", "transform", "--record", SHIP]
    copy = shutil.copytree(checkout, tmp_path / "copy")
    (copy / SHIP / "expected.json").unlink()
    done = python_in(copy, "-m", "deploy.cli", "transform", "--record", SHIP)
    assert (copy / SHIP / "expected.json").read_text() == FILES[f"{SHIP}/expected.json"], done.stderr
    checked = python_in(copy, "-m", "deploy.cli", "transform", "--check", SHIP)
    assert checked.stdout == "1 case, 0 differ\n", checked.stderr


def test_the_web_hook_is_found_and_lets_only_its_token_in(checkout: Path):
    script = """
from ingress.providers import find_providers
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
ship = find_providers()["ship"]
ship.authenticate(WebhookRequest({"authorization": "Bearer s"}, b"", 0.0), [b"s"])
try:
    ship.authenticate(WebhookRequest({"authorization": "Bearer t"}, b"", 0.0), [b"s"])
except Unauthenticated as refused:
    print(refused.reason)
"""
    done = python_in(checkout, "-c", script)
    assert done.stdout == "mismatch\n", done.stderr


def test_the_reason_for_a_missing_field_is_the_one_that_is_shown(checkout: Path):
    (told,) = re.findall(r"""`Unmapped\("([^"]+)"\)`""", PAGE)
    script = """
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.transformers.ship import source
event = CloudEvent({"type": "com.example.ship.rollout.ended", "source": "/s", "id": "1"}, b"{}")
print(source.transform(event, Catalog.empty()).reason)
"""
    assert python_in(checkout, "-c", script).stdout.strip() == told


@pytest.fixture
def function(tmp_path: Path) -> Iterator[str]:
    """The URL at which the page's function runs."""
    port = free_port()
    (tmp_path / "function.py").write_text(FILES["function.py"].replace("9000", str(port)))
    process = subprocess.Popen([sys.executable, str(tmp_path / "function.py")], stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


async def test_the_function_is_called_and_understood(function: str):
    attributes = {"specversion": "1.0", "id": "1", "source": "/w", "type": "com.example.winch.lifted"}
    event = CloudEvent(attributes, b'{"app": "crates", "stage": "production", "at": "2026-11-20T14:03:11Z"}')
    functions = Functions(timeout=5, attempts=5)
    answer = await functions.call(function, event, None)
    await functions.close()
    assert answer.fate.fate == "mapped", answer.fate.reason
    (cdevent,) = answer.fate.cdevents
    assert cdevent.subject_id == "crates"
    assert cdevent.id != "1"


@pytest.mark.parametrize("page", ["adding-a-source.md", "replacing-the-upstream.md"])
def test_the_routes_are_understood(page: str):
    (text,) = blocks((DOCS / page).read_text(), "yaml", "routes:")
    routes = Routes(find_sources(), read_routes(yaml.safe_load(text)))
    viewer = "http://sockeye.default.svc.cluster.local"
    assert routes.targets("dev.knative.apiserver.resource.add") == ("kubernetes", viewer)


def test_an_installed_package_brings_a_source_along(tmp_path: Path):
    """Really installed, by pip into an environment of its own; its evidence is run from anywhere."""
    (declared,) = blocks(PAGE, "toml")
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name in ("headers.json", "body.json", "expected.json"):
        (evidence / name).write_text(FILES[f"{SHIP}/{name}"])
    python = environment_with(wheel_in(tmp_path, tomllib.loads(declared)), tmp_path / "environment")
    done = subprocess.run(
        [python, "-P", "-m", "deploy.cli", "transform", "--check", evidence],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "1 case, 0 differ\n", done.stderr


def wheel_in(folder: Path, declared: dict[str, Any]) -> Path:
    """The package dora-ship as a wheel, with the page's transformer and the entry points ``declared``."""
    wheel, information = folder / "dora_ship-1.0-py3-none-any.whl", "dora_ship-1.0.dist-info"
    ((group, points),) = declared["project"]["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    files = {
        "dora_ship/__init__.py": "",
        "dora_ship/transformer.py": FILES["streams/transformers/ship.py"],
        f"{information}/METADATA": "Metadata-Version: 2.1\nName: dora-ship\nVersion: 1.0\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/entry_points.txt": "\n".join(lines),
    }
    files[f"{information}/RECORD"] = "".join(f"{name},,\n" for name in files)
    with ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def environment_with(wheel: Path, home: Path) -> Path:
    """The Python of a new environment in which ``wheel`` is installed, and all that we have."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", "--no-index", "--quiet", wheel], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python

"""`./dora` on a machine that has only Python: script and installer, with a stand-in for uv and no network."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from deploy import bootstrap

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")

# It writes down how it was called, waits if told to, and ends as told.
STAND_IN = """
import json, os, sys, time
with open(os.environ["CALLS"], "a") as calls:
    settings = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_"))}
    calls.write(json.dumps([sys.argv[1:], settings]) + "\\n")
time.sleep(float(os.environ.get("TAKES", "0")))
sys.exit(int(os.environ.get("FAILS", "0")))
"""
COMMAND = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), sys.executable]))
"""


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """A wheel with ``files``; its SHA-256."""
    about = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,"]) + "\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


class Checkout:
    """A copy of what `./dora` needs, in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "my checkout"
        self.calls_file = folder / "calls"
        wheels = folder / "wheels"
        (self.path / "deploy").mkdir(parents=True)
        wheels.mkdir()
        shutil.copy(ROOT / "dora", self.path)
        shutil.copy(ROOT / "deploy/bootstrap.py", self.path / "deploy")
        (self.path / "deploy/__init__.py").write_text("")
        (self.path / "deploy/cli.py").write_text(COMMAND)
        for name in LOCKS:
            (self.path / name).write_text("package==1.0 \\\n    --hash=sha256:00\n")
        sha256 = wheel(wheels, "uv", {"uv/__init__.py": "", "uv/__main__.py": STAND_IN})
        (self.path / "requirements-bootstrap.lock").write_text(f"uv==1.0 --hash=sha256:{sha256}\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "DORA_PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "CALLS": str(self.calls_file),
        }

    def command(self, *arguments: str) -> list[str]:
        return [str(self.path / "dora"), *arguments]

    def run(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**self.environment, **environment},
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        # A shell that runs the tests in its background ignores SIGINT, and so would what they start.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                self.command(*arguments),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**self.environment, **environment},
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def calls(self) -> list[tuple[list[str], dict[str, str]]]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [tuple(json.loads(line)) for line in lines]

    def wait_for_call(self) -> None:
        deadline = time.monotonic() + 60
        while not self.calls() and time.monotonic() < deadline:
            time.sleep(0.02)


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout in which nothing has run yet."""
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment as the first step leaves it."""
    venv = tmp_path_factory.mktemp("environment") / "venv"
    bootstrap.make_environment(venv)
    return venv


@pytest.fixture
def checkout(fresh: Checkout, environment: Path) -> Checkout:
    """A checkout whose first run was interrupted after it had made the virtual environment."""
    shutil.copytree(environment, fresh.path / ".venv", symlinks=True)
    return fresh


def locks_of(call: tuple[list[str], dict[str, str]]) -> list[str]:
    return [Path(word).name for word in call[0] if word.endswith(".lock")]


def test_the_first_run_installs_and_the_second_starts_at_once(fresh: Checkout, tmp_path: Path) -> None:
    checkout = fresh
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deploy").mkdir(parents=True)
    (elsewhere / "deploy/cli.py").write_text("raise SystemExit('the wrong deploy')")
    first = checkout.run("up", "a b", "--x=1", cwd=elsewhere)
    assert first.returncode == 0, first.stderr
    arguments, folder, python = json.loads(first.stdout)
    assert arguments == ["up", "a b", "--x=1"]
    assert folder == str(elsewhere)
    assert python == str(checkout.path / ".venv/bin/python")
    assert "first run: making a virtual environment with Python 3" in first.stderr
    assert "installing 1 packages into" in first.stderr
    [call] = checkout.calls()
    assert call[0][:3] == ["pip", "install", "--require-hashes"]
    assert locks_of(call) == ["requirements.lock", "requirements-embedded.lock"]

    began = time.monotonic()
    second = checkout.run("up")
    assert time.monotonic() - began < 2
    assert (second.returncode, second.stderr) == (0, "")
    assert len(checkout.calls()) == 1

    link = tmp_path / "link"
    link.symlink_to(checkout.path / "dora")
    linked = subprocess.run([link, "x"], capture_output=True, text=True, env=checkout.environment)
    assert json.loads(linked.stdout)[0] == ["x"]

    assert checkout.run("test").returncode == 0
    assert locks_of(checkout.calls()[1]) == list(LOCKS)
    assert checkout.run("test").stderr == ""

    (checkout.path / "requirements.lock").write_text("other==2.0 --hash=sha256:00\n")
    assert "installing" in checkout.run("up").stderr
    assert len(checkout.calls()) == 3


def test_two_first_runs_at_once_install_once(checkout: Checkout) -> None:
    one = checkout.start("one", TAKES="1.5")
    checkout.wait_for_call()
    two = checkout.start("two", TAKES="1.5")
    (out_one, _), (out_two, told) = one.communicate(timeout=60), two.communicate(timeout=60)
    assert json.loads(out_one)[0] == ["one"]
    assert json.loads(out_two)[0] == ["two"]
    assert "another run is installing; waiting for it" in told
    assert len(checkout.calls()) == 1


def test_an_interrupted_run_goes_on_the_next_time(checkout: Checkout) -> None:
    run = checkout.start("up", TAKES="30")
    checkout.wait_for_call()
    os.killpg(run.pid, signal.SIGINT)
    out, told = run.communicate(timeout=60)
    assert run.returncode in {130, -signal.SIGINT}  # shells differ in how they tell
    assert out == ""
    assert told.endswith("dora: interrupted; run it again to go on\n")
    again = checkout.run("up")
    assert again.returncode == 0
    assert "first run" not in again.stderr


def test_a_failed_installation_is_told_and_tried_again(checkout: Checkout) -> None:
    failed = checkout.run("up", FAILS="2")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "uv could not install the packages" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert checkout.run("up").returncode == 0


def test_an_installer_with_other_bytes_is_refused(checkout: Checkout) -> None:
    (checkout.path / "requirements-bootstrap.lock").write_text(f"uv==1.0 --hash=sha256:{'0' * 64}\n")
    failed = checkout.run("up")
    assert failed.returncode == 1
    assert "DO NOT MATCH THE HASHES" in failed.stderr
    assert "pip could not install uv" in failed.stderr
    assert checkout.calls() == []


def test_settings_of_pip_reach_uv(checkout: Checkout) -> None:
    told = checkout.run(
        "up", PIP_INDEX_URL="https://index.example/simple", PIP_CERT="/etc/our.pem", UV_CACHE_DIR="/c"
    )
    assert told.returncode == 0, told.stderr
    settings = checkout.calls()[0][1]
    assert settings["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert settings["SSL_CERT_FILE"] == "/etc/our.pem"
    assert settings["UV_FIND_LINKS"] == checkout.environment["PIP_FIND_LINKS"]
    assert settings["UV_CACHE_DIR"] == "/c"


def test_an_odd_umask_does_no_harm(fresh: Checkout) -> None:
    command = f'umask 0777; exec "{fresh.path}/dora" up'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=fresh.environment)
    assert done.returncode == 0, done.stderr
    assert (fresh.path / ".venv/bin").stat().st_mode & 0o777 == 0o755


def test_an_old_python_is_not_taken(checkout: Checkout, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "cksum", "dirname", "readlink"):
        (tools / name).symlink_to(str(shutil.which(name)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    del checkout.environment["DORA_PYTHON"]
    failed = checkout.run("up", PATH=str(tools))
    assert failed.returncode == 1
    assert "needs Python 3.11 or later and finds none on the PATH" in failed.stderr
    assert "apt install python3 python3-venv" in failed.stderr
    failed = checkout.run("up", DORA_PYTHON=str(old))
    assert failed.stderr == f"dora: DORA_PYTHON={old} is no Python 3.11 or later\n"


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    failed = checkout.run("up", DORA_VENV=str(precious))
    assert failed.returncode == 1
    assert "holds something that is no virtual environment: name another in DORA_VENV" in failed.stderr
    assert (precious / "thesis.txt").read_text() == "years of work"


def test_a_place_that_cannot_be_written_is_told(checkout: Checkout) -> None:
    failed = checkout.run("up", DORA_VENV="/dev/null/venv")
    assert failed.returncode == 1
    assert "cannot install into /dev/null/venv" in failed.stderr
    assert "Name a writable folder in DORA_VENV" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_python_without_ensurepip_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(bootstrap.InstallError, match=r"apt install python3\.\d+-venv"):
        bootstrap.make_environment(tmp_path / "venv")

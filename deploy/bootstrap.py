"""Installs the locked packages into a virtual environment; `./dora` runs it with the system's Python.

Standard library only. Safe to interrupt (the next run goes on) and to run twice at once (one waits for the
other). pip installs uv by version and hash, uv installs the rest, every file checked against the locks.
"""

import contextlib
import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOCKS = {
    "base": ["requirements.lock", "requirements-embedded.lock"],
    "dev": ["requirements.lock", "requirements-embedded.lock", "requirements-dev.lock"],
}
# What pip may have been told by its files or PIP_ variables, and the variable that tells uv the same.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class InstallError(Exception):
    """The packages could not be installed; the message says what to do."""


def say(text: str) -> None:
    """Tell the user what is going on."""
    sys.stderr.write(f"dora: {text}\n")
    sys.stderr.flush()


def install(root: Path, venv: Path, packages: str, digest: str) -> None:
    """Make ``venv`` hold the set ``packages`` and mark it with ``digest``."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with alone(venv.parent):
        mark = venv / f".dora-{packages}"
        if mark.exists() and mark.read_text().strip() == digest and runs(venv):
            return  # another run installed it while this one waited
        make_environment(venv)
        make_installer(root, venv)
        locks = [root / name for name in LOCKS[packages]]
        say(f"installing {count(locks)} packages into {venv}")
        uv(
            venv,
            "pip",
            "install",
            "--require-hashes",
            *(word for lock in locks for word in ("-r", str(lock))),
        )
        fresh = mark.with_suffix(".new")
        fresh.write_text(digest + "\n")
        fresh.replace(mark)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock on ``folder``, waiting for another run that has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is installing; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def runs(venv: Path) -> bool:
    """Whether the environment has a working Python with a pip."""
    if not (venv / "pyvenv.cfg").exists():
        return False
    try:
        done = subprocess.run(
            [venv / "bin/python", "-I", "-c", "import pip"], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def make_environment(venv: Path) -> None:
    """Create the virtual environment unless a working one is there; what is left of another is removed."""
    if runs(venv):
        return
    if venv.exists() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
        raise InstallError(
            f"{venv} holds something that is no virtual environment: name another in DORA_VENV"
        )
    if importlib.util.find_spec("ensurepip") is None:
        raise InstallError(missing_ensurepip())
    say(f"first run: making a virtual environment with Python {version()} in {venv}")
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stdout + done.stderr).strip()
        raise InstallError(f"cannot make a virtual environment in {venv}: {told}")


def version() -> str:
    """The version of the Python that runs this."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def missing_ensurepip() -> str:
    """What to install where the distribution has split the standard library."""
    return (
        f"this Python ({sys.executable}) cannot make virtual environments: its module ensurepip is missing. "
        f"On Debian and Ubuntu: apt install python{version()}-venv. Or name another Python in DORA_PYTHON"
    )


def module(venv: Path, *arguments: str) -> list[str]:
    """The command that runs a module of the environment, away from the user's own modules."""
    return [str(venv / "bin/python"), "-I", "-m", *arguments]


def make_installer(root: Path, venv: Path) -> None:
    """Install uv, verified by its hash."""
    lock = str(root / "requirements-bootstrap.lock")
    options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--require-hashes", "-r", lock]
    if subprocess.run(module(venv, "pip", "install", *options), check=False).returncode:
        raise InstallError(
            "pip could not install uv (see above): check the network or PIP_INDEX_URL, then again"
        )


def uv(venv: Path, *arguments: str) -> None:
    """Run uv on the environment."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    environment = {**os.environ, **settings_of_pip(venv), "VIRTUAL_ENV": str(venv)}
    if not cache_is_usable():
        environment["UV_NO_CACHE"] = "1"
    command = module(venv, "uv", *arguments, "--python", str(venv / "bin/python"), *quiet)
    if subprocess.run(command, env=environment, check=False).returncode:
        raise InstallError("uv could not install the packages (see above): run it again to go on from there")


def settings_of_pip(venv: Path) -> dict[str, str]:
    """Variables of uv for what pip is configured with, so that a company's index serves both."""
    listed = subprocess.run(
        module(venv, "pip", "config", "list"), capture_output=True, text=True, check=False
    ).stdout
    settings = {}
    for line in sorted(listed.splitlines(), key=precedence):
        key, _, value = line.partition("=")
        name = PIP_TO_UV.get(key.rpartition(".")[2])
        words = [word for word in value.strip("'\"").replace("\\n", " ").split() if usable(key, word)]
        if name and words and name not in os.environ and precedence(line) >= 0:
            settings[name] = ("," if name == "UV_FIND_LINKS" else " ").join(words)
    return settings


def precedence(line: str) -> int:
    """Which of pip's settings wins, as pip has it; negative for another command's."""
    sections = ("global", "install", ":env:")
    section = line.partition(".")[0]
    return sections.index(section) if section in sections else -1


def usable(key: str, value: str) -> bool:
    """Whether uv can take the value: it refuses folders of wheels that do not exist, pip overlooks them."""
    return not key.endswith("find-links") or "://" in value or Path(value).is_dir()


def cache_is_usable() -> bool:
    """Whether uv's cache folder can be written; a machine account's home may not exist."""
    home = os.environ.get("HOME", "")
    folder = os.environ.get("UV_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if not folder:
        return False
    path = Path(folder)
    while not path.exists():
        path = path.parent
    return os.access(path, os.W_OK)


def count(locks: list[Path]) -> int:
    """How many packages the locks name."""
    names = {line.split("==")[0] for lock in locks for line in lock.read_text().splitlines() if "==" in line}
    return len(names)


def main(arguments: list[str]) -> int:
    """Install, and say in one line what went wrong."""
    root, venv, packages, digest = arguments
    os.umask(0o022)  # an odd umask would make an environment that nobody can read
    try:
        install(Path(root), Path(venv).absolute(), packages, digest)
    except InstallError as error:
        say(str(error))
        return 1
    except OSError as error:
        why = error.strerror or error
        say(f"cannot install into {venv}: {why}. Name a writable folder in DORA_VENV")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Writes the dependency locks anew: ``./dora locks [--upgrade]`` (versions move only with ``--upgrade``).

`requirements.lock` is what production runs, `requirements-embedded.lock` what `./dora up` adds to it,
`requirements-dev.lock` what the tests add; `requirements-bootstrap.lock` is the installer itself. All hold
for every platform, verify every file by its hash, and name no registry.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `./dora locks`; what is wanted, and why, stands in pyproject.toml.\n"
BOOTSTRAP = ["uv"]
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
)


def wanted() -> dict[str, list[str]]:
    """What each lock resolves, in the order in which they constrain each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return {
        "requirements.lock": project["dependencies"],
        "requirements-embedded.lock": extras["embedded"],
        "requirements-dev.lock": extras["dev"],
        "requirements-bootstrap.lock": BOOTSTRAP,
    }


def compile_lock(name: str, requirements: list[str], constraints: list[str], options: list[str]) -> None:
    """Resolve ``requirements`` into the lock ``name``, with the versions of the locks in ``constraints``."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", *OPTIONS, *options]
    for each in constraints:
        command += ["--constraints", each]
    command += ["--output-file", name]
    text = "\n".join(requirements)
    subprocess.run(command, input=text, text=True, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    lock = ROOT / name
    lock.write_text(HEADER + lock.read_text())


def main(options: list[str]) -> None:
    """Write all locks."""
    done: list[str] = []
    for name, requirements in wanted().items():
        compile_lock(name, requirements, done, options)
        count = (ROOT / name).read_text().count("==")
        sys.stderr.write(f"{name}: {count} packages\n")
        done.append(name)


if __name__ == "__main__":
    main(sys.argv[1:])

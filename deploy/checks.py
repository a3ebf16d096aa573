"""What `dora test` runs, each check with its output as it comes, and a summary at the end."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST_USAGE_ERROR = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One program of the suite, found beside the Python that runs this."""

    name: str
    program: str
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What to run."""
        return [str(Path(sys.executable).with_name(self.program)), *self.arguments]


LINTS = (
    Check("ruff check", "ruff", ("check",)),
    Check("ruff format", "ruff", ("format", "--check")),
    Check("mypy", "mypy"),
    Check("import-linter", "lint-imports"),
    Check("audit", "python", ("-m", "deploy.cli", "audit")),
)


def run(arguments: Sequence[str]) -> int:
    """Run every check, or pytest alone when it gets ``arguments``; 0 ok, 1 failed, 2 usage."""
    pytest = Check("pytest", "pytest", tuple(arguments))
    checks = (pytest,) if arguments else (*LINTS, pytest)
    codes = {check: run_one(check, alone=len(checks) == 1) for check in checks}
    if any(codes.values()) and len(checks) > 1:
        failed = ", ".join(check.name for check, code in codes.items() if code)
        sys.stderr.write(f"dora test: failed: {failed}\n")
    if codes[pytest] == PYTEST_USAGE_ERROR:
        return 2
    return int(any(codes.values()))


def run_one(check: Check, *, alone: bool) -> int:
    """Run one check from the checkout; its exit code."""
    began = time.monotonic()
    if not alone:
        sys.stderr.write(f"dora test: {check.name}\n")
    sys.stdout.flush()
    try:
        code = subprocess.run(check.command, cwd=ROOT, check=False).returncode
    except FileNotFoundError:
        sys.stderr.write(f"dora test: {check.program} is not installed: run ./dora test, which installs it\n")
        return 1
    if not alone:
        verdict = "ok" if code == 0 else f"failed ({code})"
        sys.stderr.write(f"dora test: {check.name} {verdict}, {time.monotonic() - began:.1f} s\n")
    return code

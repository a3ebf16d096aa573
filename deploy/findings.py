"""What an examination of an installation found, and how checks are run: none stops another."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import asyncpg

State = Literal["ok", "warning", "failed", "skipped"]
PATIENCE = 5.0  # seconds that each check may take
MANY = 3  # faults of one check are told; more are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``advice`` says what to do about it."""

    check: str
    state: State
    found: str
    advice: str = ""

    def __str__(self) -> str:
        told = f"{self.found}; {self.advice}" if self.advice else self.found
        return f"{self.state:<7}  {self.check:<12}  {told}"


class Failed(Exception):
    """A check failed: what was found, and what to do."""

    def __init__(self, found: str, advice: str = "") -> None:
        super().__init__(found)
        self.advice = advice


class Doubtful(Failed):
    """It works, and somebody should look at it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. ``look`` says what it found when all is well, and raises ``Failed`` otherwise.

    It is not done when one that it ``needs`` has failed, nor when there is nothing to look at: ``absent``
    says why.
    """

    name: str
    look: Callable[[], Awaitable[str]]
    needs: Sequence[str] = ()
    absent: str = ""


async def run(checks: Sequence[Check], tell: Callable[[Finding], None], patience: float = PATIENCE) -> bool:
    """Run every check in order and tell what each found; whether none failed."""
    bad: set[str] = set()
    failed = False
    for check in checks:
        if missing := [need for need in check.needs if need in bad]:
            finding = Finding(check.name, "skipped", f"it needs {' and '.join(missing)}")
        elif check.absent:
            finding = Finding(check.name, "skipped", check.absent)
        else:
            finding = await find(check, patience)
        failed = failed or finding.state == "failed"
        if finding.state == "failed" or (finding.state == "skipped" and not check.absent):
            bad.add(check.name)
        tell(finding)
    return not failed


async def find(check: Check, patience: float) -> Finding:
    """What one check finds; whatever goes wrong in it is a finding."""
    try:
        return Finding(check.name, "ok", await asyncio.wait_for(check.look(), patience))
    except Doubtful as doubt:
        return Finding(check.name, "warning", str(doubt), doubt.advice)
    except Failed as fault:
        return Finding(check.name, "failed", str(fault), fault.advice)
    except TimeoutError:
        return Finding(
            check.name, "failed", f"no answer within {patience:g} s", "is it there, and reachable?"
        )
    except asyncpg.InsufficientPrivilegeError as error:
        advice = "give DORA_POSTGRES of the tables' owner, or of a worker"
        return Finding(check.name, "failed", told(error), advice)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        return Finding(check.name, "failed", told(error), "run: dora migrate")
    except (OSError, ssl.SSLError, asyncpg.PostgresError) as error:
        return Finding(check.name, "failed", told(error))
    except Exception as error:  # noqa: BLE001 - the next check is done all the same
        return Finding(check.name, "failed", f"{type(error).__name__}: {told(error)}")


def some(told: Iterable[str], between: str = ", ") -> str:
    """The first few, and how many more."""
    every = list(told)
    more = f"{between}and {len(every) - MANY} more" if len(every) > MANY else ""
    return between.join(every[:MANY]) + more


def told(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def document(findings: Sequence[Finding]) -> dict[str, object]:
    """All findings for programs."""
    passed = not any(each.state == "failed" for each in findings)
    return {"ok": passed, "checks": [asdict(each) for each in findings]}

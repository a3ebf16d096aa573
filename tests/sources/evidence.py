"""The evidence of this project's own sources: the folders below this one (deploy/evidence.py)."""

from dataclasses import dataclass
from pathlib import Path

from deploy import evidence
from deploy.evidence import play

__all__ = ["Case", "cases", "play"]

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Case(evidence.Case):
    """One folder of evidence."""

    def __str__(self) -> str:
        return self.folder.relative_to(ROOT).as_posix()

    @property
    def source(self) -> str:
        """The name of the source, which is the folder directly below this one."""
        return self.folder.relative_to(ROOT).parts[0]


def cases() -> list[Case]:
    """Every case of every source."""
    return [Case(file.parent) for file in sorted(ROOT.rglob("expected.json"))]

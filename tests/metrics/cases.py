"""Cases of metrics: a folder each, with facts, a window and the numbers that a person worked out."""

import json
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from schemas.calendar import zone_of
from streams.metrics.window import Window

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    name: str
    content: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def window(self) -> Window:
        start, end = (datetime.fromisoformat(self.content[name]) for name in ("from", "to"))
        return Window(start, end, self.content["bucket"], zone_of(self.content["timezone"]))

    @property
    def deployments(self) -> list[datetime]:
        return [datetime.fromisoformat(text) for text in self.content["deployments"]]

    @property
    def expected(self) -> dict[str, Any]:
        """The expected numbers. Values are written as fractions, to show where they come from."""
        expected = self.content["expected"]
        points = [point | {"value": number(point["value"])} for point in expected["points"]]
        return expected | {"value": number(expected["value"]), "points": points}


def number(text: str) -> float:
    return float(Fraction(text))


def cases(metric: str) -> list[Case]:
    found = sorted((FOLDER / metric).glob("*/case.json"))
    return [Case(path.parent.name, json.loads(path.read_text(encoding="utf-8"))) for path in found]

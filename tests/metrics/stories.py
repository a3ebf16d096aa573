"""Cases of the metrics that need links: what happened to one service, told in a few words, and the numbers.

Times are ``06-01 12:00`` in 2026, UTC. The service is ``shop`` and the environment ``production``, unless an
event says otherwise.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.calendar import zone_of
from schemas.cdevents.event import CDEvent, Draft
from streams.metrics.window import Window
from tests.links import telling
from tests.metrics.cases import FOLDER, number

Event = dict[str, Any]


@dataclass(frozen=True)
class Story:
    name: str
    content: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def window(self) -> Window:
        start, end = (instant(self.content[name]) for name in ("from", "to"))
        return Window(start, end, self.content["bucket"], zone_of(self.content["timezone"]))

    @property
    def events(self) -> list[CDEvent]:
        return telling.flat([told(event) for event in self.content["story"]])

    @property
    def expected(self) -> dict[str, Any]:
        """The expected numbers. Values are written as fractions, to show where they come from."""
        expected = self.content["expected"]
        points = [(value(text), samples) for text, samples in expected["points"]]
        return expected | {"value": value(expected["value"]), "points": points}


def value(text: str | None) -> float | None:
    return None if text is None else number(text)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(telling.hour(text)).astimezone(UTC)


def stories(metric: str) -> list[Story]:
    found = sorted((FOLDER / metric).glob("*/case.json"))
    return [Story(path.parent.name, json.loads(Path(path).read_text(encoding="utf-8"))) for path in found]


def told(event: Event) -> Any:
    """The CDEvents of one event of a story."""
    said = dict(event)
    at = said.pop("at", None)
    match next(iter(said)):
        case "push":
            return telling.push(at, *said.pop("push"), **said)
        case "merge":
            return telling.merge(at, said.pop("merge"), **said)
        case "open":
            return telling.event(
                telling.change_created(
                    source="/git", change=said["open"], at=telling.hour(at), repository="acme/shop"
                )
            )
        case "deploy":
            return telling.deploy(at, said.pop("deploy"), said.pop("commit", None), **said)
        case "rollback":
            return telling.roll_back(at, said.pop("rollback"), **said)
        case "failed":
            return telling.fail(at, said["failed"])
        case "incident":
            return telling.incident(said.pop("from"), said.pop("to"), said.pop("incident"), **said)
        case "correct":
            return telling.event(
                Draft(
                    type="dev.cdeventsx.dora-attribution.set.0.1.0",
                    source="/people",
                    subject_id=said.pop("correct"),
                    timestamp=telling.hour(at),
                    content=said,
                )
            )
        case other:
            raise ValueError(f"no event of a story: {other}")

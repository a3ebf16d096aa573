"""What clients know: every request that they made, what they were answered, and when."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

LOST = "lost"  # no answer came


class Answer(NamedTuple):
    """One request. ``numbers`` of its events; ``posting`` is the same for all attempts to get it accepted."""

    numbers: tuple[int, ...]
    twin: bool
    posting: int
    attempt: int
    status: str
    at: float  # seconds, time.time()
    url: str


@dataclass
class Journal:
    """The answers in the order in which they came."""

    answers: list[Answer] = field(default_factory=list)
    sent: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    twins_acknowledged: set[int] = field(default_factory=set)

    def note(
        self, numbers: tuple[int, ...], status: str, posting: int, attempt: int, url: str, *, twin: bool
    ) -> None:
        """One answer."""
        self.answers.append(Answer(numbers, twin, posting, attempt, status, time.time(), url))
        if status == "202":
            (self.twins_acknowledged if twin else self.acknowledged).update(numbers)

    def forget(self, numbers: set[int]) -> None:
        """The test itself took these events away."""
        for known in (self.sent, self.acknowledged, self.twins_acknowledged):
            known.difference_update(numbers)

    @property
    def statuses(self) -> Counter[str]:
        """How many requests were answered how."""
        return Counter(answer.status for answer in self.answers)

    @property
    def accepted_events(self) -> int:
        """Events in requests that were answered 202, each as often as it was accepted."""
        return sum(len(answer.numbers) for answer in self.answers if answer.status == "202")

    @property
    def postings_again(self) -> int:
        """Requests that a client made a second time although the first was accepted, as clients do."""
        accepted = {answer.posting for answer in self.answers if answer.status == "202"}
        return sum(posting % 2 for posting in accepted)

    def accepted_between(self, url: str, after: float, until: float) -> int:
        """Requests that the process at ``url`` answered 202 in this time."""
        return sum(
            answer.status == "202" and answer.url == url and after <= answer.at <= until
            for answer in self.answers
        )

    def write(self, path: Path) -> None:
        """One JSON object a line, for people who look for what happened."""
        with path.open("w") as file:
            file.writelines(json.dumps(answer._asdict()) + "\n" for answer in self.answers)

"""What is asked of the metrics, how often, and in what time 99 of 100 answers have to be there."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.query_history import Size, name_of
from benchmarks.query_server import TEAM, team_of
from query.metrics import metrics

YEAR = "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"
# Half an hour off the hours in which the tables are kept: no day of theirs is one of its own.
OTHER_ZONE = "Asia/Kolkata"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question is about, how often it is asked, and the seconds that 99 of 100 may take."""

    name: str
    words: str
    within: float
    times: int

    def parts(self, size: Size) -> Iterator[str]:
        """As parts of a URL: another service or team each time, so that no answer is the one before."""
        for number in range(self.times):
            if self.name == "service":
                yield f"&service={name_of(number * 7 % size.services)}"
            elif self.name == "team":
                yield f"&team={team_of(number * TEAM % size.services)}"
            else:
                yield ""


SCOPES = (
    Scope("service", "a service", 0.1, 200),
    Scope("team", f"a team of {TEAM}", 0.1, 100),
    Scope("all", "all", 1.0, 20),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A metric over a year; ``zone`` is empty for the one in which the tables are kept."""

    metric: str
    scope: Scope
    bucket: str
    zone: str = ""

    def __str__(self) -> str:
        where = f" in {self.zone}" if self.zone else ""
        return f"{self.metric} of {self.scope.words}, by {self.bucket}{where}"

    def paths(self, size: Size) -> Iterator[str]:
        """The URLs that ask it."""
        zone = f"&timezone={self.zone}" if self.zone else ""
        for part in self.scope.parts(size):
            yield f"/v1/metrics/{self.metric}?{YEAR}&bucket={self.bucket}{zone}{part}"


def questions() -> Iterator[Question]:
    """Every metric about every scope, by day and by month, and by day in another zone."""
    for zone, buckets in (("", ("day", "month")), (OTHER_ZONE, ("day",))):
        for metric in metrics():
            for scope in SCOPES:
                for bucket in buckets:
                    yield Question(metric.name, scope, bucket, zone)

"""What happened to one service in a window: its deployments, incidents and lead times, each or in buckets.

A chart can show a thousand things one by one. Of more, it shows how many there were in each bucket; the
numbers of the window are always whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from query.database import Reading, Row
from query.selection import one_or_several
from schemas.calendar import Bucket
from streams.metrics.parts import Parts
from streams.metrics.window import Window

MOST_MARKS = 1_000
MOST_INCIDENTS = 200
LONGEST_INCIDENT = timedelta(days=90)  # before the window; those that are open for longer are not looked for
# Where the bands of lead times begin, in seconds: each about twice the one before, at times that have names.
MINUTE, HOUR, DAY = 60, 3_600, 86_400
BANDS: Sequence[float] = (
    *(0, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR),
    *(DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 120 * DAY, 240 * DAY),
)
STATES = ("good", "failed", "rollbacks", "uncounted")

Names = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The deployments of a window: ``rows`` when they are few enough, else empty; ``parts`` always.

    A part is ``{part: Window, good, failed, rollbacks, uncounted}``; ``totals`` are their sums.
    """

    rows: Sequence[Row]
    parts: Sequence[Mapping[str, Any]]
    totals: Mapping[str, int]

    @property
    def number(self) -> int:
        """All deployments, counted or not."""
        return sum(self.totals.values())

    @property
    def is_whole(self) -> bool:
        """Whether ``rows`` are all of them."""
        return len(self.rows) == self.number


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """The lead times of a window: ``rows`` when they are few enough, else empty; ``cells`` always.

    A cell is ``{part: Window, low, high, changes}``; ``high`` of the last band is ``None``.
    """

    rows: Sequence[Row]
    cells: Sequence[Mapping[str, Any]]
    number: int

    @property
    def is_whole(self) -> bool:
        """Whether ``rows`` are all of them."""
        return len(self.rows) == self.number


def cut(window: Window) -> Window:
    """``window`` in buckets that a chart has room for: at most about a hundred."""
    bucket: Bucket = "day" if window.days <= 100 else "week" if window.days <= 750 else "month"
    return replace(window, bucket=bucket)


async def timeline(reading: Reading, service: str, environments: Names, window: Window) -> Timeline:
    """The deployments of ``service`` in ``window``; of all environments when these are ``None``."""
    starts, windows = Parts(window).starts, Parts(window).windows
    found = await reading.rows("service_parts", service, environments, starts, window.end)
    parts = [{**row, "part": windows[row["part"]]} for row in found]
    totals = {state: sum(part[state] for part in parts) for state in STATES}
    rows = await deployments(reading, service, environments, window, MOST_MARKS + 1)
    return Timeline(rows if len(rows) <= MOST_MARKS else (), parts, totals)


async def deployments(
    reading: Reading,
    service: str,
    environments: Names,
    window: Window,
    most: int,
    behind: Sequence[Any] = (None, None),
) -> Sequence[Row]:
    """At most ``most`` deployments, the latest first, behind a time and deploy_id."""
    one, several = one_or_several(environments)
    kinds = (None, None, None)  # counted or not, of any kind and outcome
    return await reading.rows(
        *("deployments", None, several, window.start, window.end, *kinds, *behind, most),
        *(service, one, None, None),
    )


async def incidents(reading: Reading, service: str, environments: Names, window: Window) -> Sequence[Row]:
    """Incidents of ``service`` that were there in ``window``, the latest first; one more than is shown."""
    begin = window.start - LONGEST_INCIDENT if window.start.year > 1 else window.start
    rows = await reading.rows(
        *("incidents", [service], environments, begin, window.end, None, None, None, None),
        MOST_INCIDENTS + 1,
    )
    return [row for row in rows if _is_in(row, window.start)]


def _is_in(row: Row, begin: datetime) -> bool:
    return bool(row["time_created"] >= begin or row["open"] or (row["resolved_at"] or begin) > begin)


async def lead_times(reading: Reading, service: str, environments: Names, window: Window) -> LeadTimes:
    """The lead times that ``change-lead-time`` counts, by their deployments in ``window``."""
    starts, windows = Parts(window).starts, Parts(window).windows
    found = await reading.rows("lead_cells", service, environments, starts, window.end, BANDS)
    cells = [
        {
            "part": windows[row["part"]],
            "low": BANDS[row["band"]],
            "high": BANDS[row["band"] + 1] if row["band"] + 1 < len(BANDS) else None,
            "changes": row["changes"],
        }
        for row in found
    ]
    number = sum(cell["changes"] for cell in cells)
    rows = await deployed(reading, service, environments, window, MOST_MARKS) if number <= MOST_MARKS else ()
    return LeadTimes(rows, cells, number)


async def deployed(
    reading: Reading, service: str, environments: Names, window: Window, most: int
) -> Sequence[Row]:
    """At most ``most`` changes that have a lead time, the latest deployed first."""
    return await reading.rows(
        *("changes_deployed", [service], environments, None, None, window.start, window.end),
        *("change-lead-time", None, None, None, None, None, most),
    )

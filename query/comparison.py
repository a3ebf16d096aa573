"""A metric of several services or teams side by side, and beside what it was before.

Each part is answered exactly as if it had been asked for by itself, in the same moment of the database.
"""

from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from query.context import Context
from query.database import Reading
from query.frequency import configured_zone
from query.parameters import MetricAsked
from query.problems import Refused, TooLarge
from query.selection import MOST_SERVICES, selection
from query.window import has_whole_days, window_of
from schemas.calendar import midnight, zone_of
from streams.metrics.window import Window

MOST_GROUPS = 100
MOST_POINTS = 40_000

# What a group tells; the rest is the same for all of them.
OF_A_GROUP = ("value", "class", "sample_count", "coverage", "previous", "points")

Content = dict[str, Any]


class Measure(Protocol):
    """Answers a question about one window. Without ``warn`` it does not look for what is to be warned of."""

    def __call__(
        self,
        reading: Reading,
        asked: MetricAsked,
        here: Context,
        window: Window,
        configured: ZoneInfo,
        *,
        warn: bool = True,
    ) -> Awaitable[Content]:
        """The answer, as the REST API tells it."""
        ...


async def whole_answer(asked: MetricAsked, here: Context, measure: Measure) -> Content:
    """What ``measure`` answers, with its groups and the period before where these are asked for."""
    (content,) = await whole_answers(asked, here, [measure])
    return content


async def whole_answers(asked: MetricAsked, here: Context, measures: Sequence[Measure]) -> Sequence[Content]:
    """The same of several measures, in one moment: what they read in common is read once."""
    async with here.database.reading() as reading:
        configured = await configured_zone(reading, here.settings)
        zone = configured if asked.timezone is None else zone_of(asked.timezone)
        window = window_of(asked, zone, here.now())
        return [await _whole(reading, asked, here, window, configured, each) for each in measures]


async def _whole(
    reading: Reading,
    asked: MetricAsked,
    here: Context,
    window: Window,
    configured: ZoneInfo,
    measure: Measure,
) -> Content:
    async def compared(part: MetricAsked) -> Content:
        content = await measure(reading, part, here, window, configured)
        if asked.compare is not None:
            before = await measure(reading, part, here, _undivided(previous(window)), configured, warn=False)
            content["previous"] = _previous(content, before)
        return content

    content = await compared(asked)
    if asked.by is not None:
        parts = await _parts(reading, asked, here, content)
        if len(parts) * len(window.parts()) > MOST_POINTS:
            raise TooLarge(f"The answer has more than {MOST_POINTS} points; take a larger bucket.")
        content["groups"] = [{asked.by: name} | _of_a_group(await compared(part)) for name, part in parts]
    return content


def previous(window: Window) -> Window:
    """The window of as many days that ends where ``window`` begins; for parts of days, of the same length."""
    try:
        if has_whole_days(window):
            days = (window.last_day - window.first_day).days + 1
            start = midnight(window.first_day - timedelta(days=days), window.zone).astimezone(UTC)
        else:
            start = window.start - (window.end - window.start)
    except OverflowError as error:
        raise Refused({"compare": "the period before leaves the years 1 to 9999"}) from error
    return Window(start, window.start, window.bucket, window.zone)


def _undivided(window: Window) -> Window:
    """``window`` in as few buckets as it can have: of the period before, the points are not told."""
    # The years in which the calendar begins and ends have no whole one in every zone.
    return replace(window, bucket="year") if window.start.year > 1 and window.end.year < 9999 else window


def _previous(content: Content, before: Content) -> Content:
    """What the period before amounts to, and how much the value has changed since."""
    values = content["value"], before["value"]
    change = None if None in values else values[0] - values[1]
    told = {name: before[name] for name in ("from", "to", "value", "class", "sample_count")}
    return told | {"change": change}


def _of_a_group(content: Content) -> Content:
    return {name: content[name] for name in OF_A_GROUP if name in content}


async def _parts(
    reading: Reading, asked: MetricAsked, here: Context, content: Content
) -> Sequence[tuple[str, MetricAsked]]:
    """The question about each service or team that the whole is made of, by name."""
    chosen = await selection(reading, here, service=asked.service, team=asked.team)
    if chosen.services is None:
        rows = await reading.rows("known_services", MOST_SERVICES + 1)
        services: Sequence[str] = [row["service"] for row in rows]
    else:
        services = chosen.services
    if asked.by == "service":
        names = sorted(services)
    else:
        teams: defaultdict[str | None, int] = defaultdict(int)
        for service in services:
            teams[here.catalog.team_of(service)] += 1
        if nobodys := teams.pop(None, 0):
            content["warnings"].append(f"The catalog gives {nobodys} services to no team; no group has them.")
        names = sorted(name for name in teams if name is not None)
    if len(names) > MOST_GROUPS:
        raise TooLarge(f"There are more than {MOST_GROUPS} of them; narrow it with team or service.")
    # The environments of the whole: a group has to speak of the same.
    environments = content["environments"]
    return [(name, _about(asked, name, environments)) for name in names]


def _about(asked: MetricAsked, name: str, environments: Sequence[str]) -> MetricAsked:
    about = {"service": name} if asked.by == "service" else {"team": name}
    return asked.model_copy(update={"by": None, "compare": None, "environment": list(environments), **about})

"""docs/comparison.md: the numbers on the page are those that the formulas give."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.calendar import zone_of
from streams.metrics.deployment_frequency import deployment_frequency
from streams.metrics.window import Window
from tests.docs.pages import DOCS
from tests.links.telling import flat, links_of
from tests.metrics.comparison.yardsticks import HOUR, DevLake, FourKeys
from tests.metrics.stories import instant, told
from tests.metrics.test_linked_metrics import answer

HISTORY: dict[str, Any] = json.loads((Path(__file__).parent / "history.json").read_text(encoding="utf-8"))
STORY = HISTORY["story"]
EVENTS = flat([told(event) for event in STORY])
WINDOW = Window(instant(HISTORY["from"]), instant(HISTORY["to"]), "week", zone_of("UTC"))
DAYS = 28


def ours() -> dict[str, float | None]:
    counted = [each.deployed_at.date() for each in links_of(*EVENTS).attributions if each.role == "counted"]
    numbers = {day: counted.count(day) for day in set(counted)}
    hours = ("change_lead_time", "failed_deployment_recovery_time", "time_to_restore")
    found: dict[str, float | None] = {
        "deployments": deployment_frequency(numbers, WINDOW).deployments,
        "change_failure_rate": answer("change_failure_rate", EVENTS, WINDOW).value,
        "deployment_rework_rate": answer("deployment_rework_rate", EVENTS, WINDOW).value,
    }
    for metric in hours:
        value = answer(metric, EVENTS, WINDOW).value
        found[metric] = None if value is None else value / HOUR
    return found


def compared() -> dict[str, tuple[float | None, float | None, float | None]]:
    """Of each row of the page ours, fourkeys', DevLake's."""
    us, four, lake = ours(), FourKeys(STORY), DevLake(STORY)
    return {
        "deployments": (
            us["deployments"],
            four.deployments_per_day(DAYS) * DAYS,
            lake.deployments_per_day(DAYS) * DAYS,
        ),
        "change lead time, hours": (us["change_lead_time"], four.lead_hours(), lake.lead_hours()),
        "change failure rate": (us["change_failure_rate"], four.failure_rate(), lake.failure_rate()),
        "failed deployment recovery time, hours": (
            us["failed_deployment_recovery_time"],
            None,
            lake.recovery_hours(),
        ),
        "time to restore, hours": (us["time_to_restore"], four.restore_hours(), None),
        "deployment rework rate": (us["deployment_rework_rate"], None, None),
    }


def shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


@pytest.mark.parametrize("name", compared())
def test_the_page_shows_what_the_formulas_give(name: str) -> None:
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", page, re.MULTILINE)
    assert row is not None, name
    assert [cell.strip() for cell in row[1].split("|")][:3] == [shown(each) for each in compared()[name]]


def test_the_page_tells_the_history() -> None:
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    for event in STORY:
        for name in ("deploy", "rollback", "incident", "failed"):
            if name in event:
                assert f"`{event[name]}`" in page


def test_fourkeys_rate_passes_one() -> None:
    """One change of one deployment, and two incidents that name it."""
    story = [each for each in STORY if "c" in each.get("push", ()) or each.get("commit") == "c"]
    assert FourKeys(story).failure_rate() == 2

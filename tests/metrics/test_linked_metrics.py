"""The metrics that need links, against numbers that were worked out by hand and against an oracle."""

import re
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.calendar import zone_of
from schemas.cdevents.event import CDEvent
from streams.links import link
from streams.metrics import (
    change_failure_rate,
    change_lead_time,
    deployment_rework_rate,
    failed_deployment_recovery_time,
    merge_to_deploy,
    time_to_restore,
)
from streams.metrics.bands import EDITIONS, bands, document, performance, steps
from streams.metrics.parts import Answer, Count, Parts, ratios
from streams.metrics.ranks import percentile, percentile_of_runs
from streams.metrics.score import mean_score, score
from streams.metrics.window import Window
from tests.links.telling import flat, history_of
from tests.metrics import oracle
from tests.metrics.stories import Story, stories, told

MODULES: dict[str, Any] = {
    "change_lead_time": change_lead_time,
    "change_failure_rate": change_failure_rate,
    "failed_deployment_recovery_time": failed_deployment_recovery_time,
    "deployment_rework_rate": deployment_rework_rate,
    "time_to_restore": time_to_restore,
    "merge_to_deploy": merge_to_deploy,
}
CASES = [(metric, case) for metric in MODULES for case in stories(metric)]
NAMES = [f"{metric}-{case}" for metric, case in CASES]


def answer(metric: str, events: list[CDEvent], window: Window) -> Answer:
    """The metric of the shop in production, from its events."""
    history, module, parts = history_of(events), MODULES[metric], Parts(window)
    links = link(history)
    if metric in ("change_lead_time", "merge_to_deploy"):
        facts: Any = links.changes
    elif metric == "time_to_restore":
        facts = [each for each in history.incidents if each.told["service"][1] == "shop"]
    else:
        facts = links.attributions
    if hasattr(module, "placed"):
        found: Any = parts.counts(module.placed(facts))
    else:
        found = parts.durations(module.samples(facts))
    return getattr(module, metric)(window, found)


# What tools of this kind get wrong, where it can touch the metric. How often something is deployed is counted
# after all of these, from deployments that are there once each.
MIDNIGHT = {"midnight_in_berlin", "over_the_change_of_clocks"}
RUNS = {"two_rollouts_a_day", "workflow_run_again"}
TRAPS = {
    "change_lead_time": MIDNIGHT | RUNS | {"squash_merge", "rebase_merge", "rolled_back_and_deployed_again"},
    "change_failure_rate": MIDNIGHT
    | RUNS
    | {"many_incidents_of_one_deployment", "rollback_of_a_rollback", "incident_before_the_deployment"},
    "failed_deployment_recovery_time": MIDNIGHT
    | RUNS
    | {"rollback_of_a_rollback", "incident_before_the_deployment"},
    "deployment_rework_rate": MIDNIGHT | RUNS | {"rollback_of_a_rollback", "incident_before_the_deployment"},
    "time_to_restore": MIDNIGHT | {"without_a_deployment"},
    "merge_to_deploy": MIDNIGHT | RUNS | {"squash_merge", "rolled_back_and_deployed_again"},
}


@pytest.mark.parametrize("metric", MODULES)
def test_there_are_cases_and_one_of_each_trap(metric):
    names = {case.name for case in stories(metric)}
    assert len(names) >= 12
    assert names >= TRAPS[metric]


@pytest.mark.parametrize(("metric", "case"), CASES, ids=NAMES)
def test_the_numbers_are_those_worked_out_by_hand(metric: str, case: Story):
    found = answer(metric, case.events, case.window)
    assert {
        "value": found.value,
        "class": found.performance,
        "sample_count": found.sample_count,
        "points": [(point.value, point.sample_count) for point in found.points],
    } == case.expected


@pytest.mark.parametrize(("metric", "case"), CASES, ids=NAMES)
def test_the_oracle_agrees_with_the_hand(metric: str, case: Story):
    window, expected = case.window, case.expected
    zone = case.content["timezone"]
    found = oracle.answer(metric, case.content["story"], window.start, window.end, "week", zone)
    assert found == (expected["value"], expected["sample_count"], expected["points"])


def clock(minutes: int) -> str:
    return (datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)).strftime("%m-%d %H:%M")


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two weeks of a service: pushes in order, deployments of any of their commits, rollbacks, incidents."""
    moments = st.integers(0, 14 * 24 * 60)
    story: list[dict[str, Any]] = []
    commits: list[str] = []
    for minute in sorted(draw(st.sets(moments, max_size=8))):
        new = [f"c{len(commits) + n}" for n in range(draw(st.integers(1, 3)))]
        push = {"push": new, "at": clock(minute), "made": clock(draw(moments))}
        if draw(st.integers(0, 4)) == 0:
            push["hotfix"] = True
        if commits and draw(st.integers(0, 4)) == 0:
            push["reverts"] = draw(st.sampled_from(commits))
        story.append(push)
        commits += new
    deployed: list[str] = []
    for minute in sorted(draw(st.sets(moments, max_size=10))):
        if len(deployed) > 1 and draw(st.integers(0, 3)) == 0:
            back = draw(st.sampled_from(deployed))
            story.append({"rollback": f"r{minute}", "at": clock(minute), "to": back})
            continue
        deployed.append(f"d{minute:05}")
        run = {"deploy": deployed[-1], "at": clock(minute), "hotfix": draw(st.integers(0, 5)) == 0}
        if commits and draw(st.booleans()):
            run["commit"] = draw(st.sampled_from(commits))
        story.append(run)
    for number in range(draw(st.integers(0, 4))):
        times = [clock(draw(moments)), draw(st.none() | moments.map(clock))]
        incident = {"incident": f"i{number}", "from": times[0], "to": times[1]}
        if deployed and draw(st.integers(0, 3)) == 0:
            incident["deploy_id"] = draw(st.sampled_from(deployed))
        story.append(incident)
    return story


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from(["UTC", "Europe/Berlin"]), st.randoms(use_true_random=False))
def test_r16_any_order_and_repetition_gives_what_the_oracle_gives(story, zone, random):
    events = flat([told(event) for event in story])
    events = [*events, *events]
    random.shuffle(events)
    start = datetime(2026, 6, 1, tzinfo=UTC)
    window = Window(start, start + timedelta(days=14), "week", zone_of(zone))
    for metric in MODULES:
        found = answer(metric, events, window)
        value, count, points = oracle.answer(metric, story, window.start, window.end, "week", zone)
        assert found.value == pytest.approx(value), metric
        assert found.sample_count == count, metric
        for point, (expected, samples) in zip(found.points, points, strict=True):
            assert (point.value, point.sample_count) == (pytest.approx(expected), samples), metric


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_the_median_is_the_median(values):
    assert percentile(sorted(values), 0.5) == pytest.approx(median(values))
    if len(values) > 1:
        cut = quantiles(values, n=10, method="inclusive")[8]
        assert percentile(sorted(values), 0.9) == pytest.approx(cut)
    assert percentile([], 0.5) is None


@given(
    st.lists(st.lists(st.integers(-9, 9) | st.floats(-1e9, 1e9), max_size=12), max_size=9),
    st.integers(1, 99),
)
def test_a_percentile_of_parts_is_that_of_the_whole(runs, percent):
    whole = sorted(value for run in runs for value in run)
    found = percentile_of_runs([sorted(run) for run in runs], percent / 100)
    assert found == percentile(whole, percent / 100)
    if len(whole) > 1:
        cut = quantiles(whole, n=100, method="inclusive")[percent - 1]
        assert found == pytest.approx(cut, rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=2))
def test_a_rate_never_passes_one(pairs):
    start = datetime(2026, 6, 1, tzinfo=UTC)
    window = Window(start, start + timedelta(days=14), "week", zone_of("UTC"))
    found = ratios(window, [Count(min(pair), max(pair)) for pair in pairs])
    assert all(value is None or 0 <= value <= 1 for value in (found.value, *(p.value for p in found.points)))


@pytest.mark.parametrize(
    ("metric", "edition", "values"),
    [
        ("change-lead-time", "2023", [86_399, 86_400, 604_799, 604_800, 2_591_999, 2_592_000]),
        ("change-lead-time", "2021", [3_599, 3_600, 604_799, 604_800, 15_551_999, 15_552_000]),
        ("failed-deployment-recovery-time", "2023", [3_599, 3_600, 86_399, 86_400, 604_799, 604_800]),
        ("time-to-restore", "2021", [3_599, 3_600, 86_399, 86_400, 604_799, 604_800]),
        ("change-failure-rate", "2023", [0.05, 0.0501, 0.10, 0.1001, 0.15, 0.1501]),
        ("change-failure-rate", "2021", [0.15, 0.1501, 0.20, 0.2001, 0.30, 0.3001]),
    ],
)
def test_where_the_classes_are_cut(metric, edition, values):
    names = ["elite", "high", "high", "medium", "medium", "low"]
    assert [performance(metric, edition, value) for value in values] == names
    assert performance(metric, edition, None) is None
    assert performance("deployment-rework-rate", edition, 0.1) is None


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_is_data_that_says_where_it_comes_from(edition):
    told = document(edition)
    assert told["edition"] == edition
    assert "Apache DevLake" in told["source"]
    assert [step.performance for step in steps(edition)] == ["elite", "high", "medium"]
    assert all(cuts.elite < cuts.high < cuts.medium for cuts in bands(edition).values())
    assert set(bands(edition)) == set(told["bands"])


def test_editions_without_classes_have_none():
    for edition in ("2024", "2025", "none", "../2023"):
        assert (bands(edition), steps(edition)) == ({}, ())
        assert performance("change-lead-time", edition, 1.0) is None


@pytest.mark.parametrize(
    ("metric", "values", "scores"),
    [
        (
            "change-lead-time",
            [0, 3599, 3600, 86_400, 604_800, 2_592_000, 15_552_000],
            [10, 10, 8, 6, 4, 2, 0],
        ),
        ("failed-deployment-recovery-time", [3599, 3600, 15_551_999, 15_552_000], [10, 8, 2, 0]),
        ("deployment-frequency", [24, 23.9, 1, 0.9, 1 / 7, 1 / 30, 1 / 180, 0], [10, 8, 8, 6, 6, 4, 2, 0]),
        ("change-failure-rate", [0, 0.19, 1], [10, 8.1, 0]),
        ("deployment-rework-rate", [0, 0.5, 1], [10, 5, 0]),
        ("time-to-restore", [1], [None]),
    ],
)
def test_the_score_is_that_of_the_quick_check(metric, values, scores):
    assert [score(metric, value) for value in values] == [pytest.approx(each) for each in scores]
    assert score(metric, None) is None


def test_a_score_is_the_mean_of_what_is_known():
    assert mean_score([10, None, 5]) == 7.5
    assert mean_score([None]) is None


@pytest.mark.parametrize("metric", MODULES)
def test_each_metric_says_what_it_is(metric):
    said = MODULES[metric].METRIC
    assert said.name == metric.replace("_", "-")
    assert said.unit in ("seconds", "ratio")
    assert said.edition in {*EDITIONS, "2024", "none"}
    assert (performance(said.name, said.edition, 0.0) is not None) == (said.edition in EDITIONS)
    assert re.search(r"^    value = ", MODULES[metric].__doc__, re.MULTILINE)

"""Deployment frequency against numbers that were worked out by hand."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import BUCKETS, local_day, midnight, rfc3339
from streams.metrics.deployment_frequency import METRIC, Cuts, deployment_frequency
from streams.metrics.window import Window
from tests.metrics.cases import Case, cases

CASES = cases("deployment_frequency")


def told(case: Case) -> dict:
    window = case.window
    inside = [at for at in case.deployments if window.start <= at < window.end]
    found = deployment_frequency(
        Counter(local_day(at, window.zone) for at in inside),
        window,
        since=min((local_day(at, window.zone) for at in case.deployments), default=None),
    )
    return {
        "value": pytest.approx(found.value),
        "class": found.performance,
        "sample_count": found.deployments,
        "points": [
            {
                "start": rfc3339(point.window.start, window.zone),
                "end": rfc3339(point.window.end, window.zone),
                "value": pytest.approx(point.value),
                "sample_count": point.deployments,
            }
            for point in found.points
        ],
    }


def test_there_are_cases():
    assert len(CASES) >= 12


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_numbers_are_those_worked_out_by_hand(case):
    assert told(case) == case.expected


def test_the_cut_for_elite_can_be_moved():
    case = next(case for case in CASES if case.name == "median_between_two_weeks")
    days = Counter(at.date() for at in case.deployments)
    for cut, expected in ((4.5, "elite"), (5, "high")):
        assert (
            deployment_frequency(days, case.window, cuts=Cuts(elite_days_per_week=cut)).performance
            == expected
        )


@pytest.mark.parametrize(
    ("per_month", "edition", "expected"),
    [
        (8, "2023", "high"),
        (8, "2021", "high"),
        (1, "2023", "medium"),
        (1, "2021", "high"),
        (0.5, "2023", "low"),
        (0.5, "2021", "medium"),
        (1 / 12, "2021", "low"),
        (1 / 12, "2023", "low"),
        (30, "2021", "elite"),
    ],
)
def test_an_edition_cuts_in_its_own_way(per_month, edition, expected):
    zone = ZoneInfo("UTC")
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "month", zone)
    every = max(1, round(30 / per_month))
    days = Counter({date(2024, 1, 3) + timedelta(days=n): 1 for n in range(0, 1080, every)})
    assert deployment_frequency(days, window, cuts=Cuts(edition=edition)).performance == expected


def test_the_definition_names_its_edition_and_unit():
    assert (METRIC.name, METRIC.unit, METRIC.edition) == ("deployment-frequency", "deployments/day", "2023")


@given(
    st.dictionaries(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(1, 9), max_size=60),
    st.dates(date(2025, 1, 1), date(2026, 6, 30)),
    st.integers(1, 180),
    st.sampled_from(BUCKETS),
    st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo"]),
)
def test_points_share_out_the_whole(numbers, first, length, bucket, zone_name):
    zone = ZoneInfo(zone_name)
    end = first + timedelta(days=length)
    window = Window(midnight(first, zone).astimezone(UTC), midnight(end, zone).astimezone(UTC), bucket, zone)
    inside = {day: number for day, number in numbers.items() if first <= day < end}
    found = deployment_frequency(inside, window)
    assert window.days == length
    assert sum(point.deployments for point in found.points) == found.deployments == sum(inside.values())
    assert sum(point.window.days for point in found.points) == pytest.approx(length)
    assert sum(point.value * point.window.days for point in found.points) == pytest.approx(
        found.value * length
    )
    assert (found.performance is None) == (not inside)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_window_of_a_moment_has_one_point(bucket):
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    window = Window(at, at + timedelta(microseconds=1), bucket, ZoneInfo("Europe/Berlin"))
    found = deployment_frequency({date(2026, 3, 29): 1}, window)
    assert [point.deployments for point in found.points] == [1]
    assert found.performance == "high"

"""What the overview says of answers: values, trends, and that there are too few samples."""

import pytest
from starlette.datastructures import Headers

from query.overview import SHOWN, cards, frequency, label
from query.readable import NOTHING, count, duration, percent, rate
from query.routes.login import _own
from query.same_origin import is_foreign


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, NOTHING),
        (0, "0 s"),
        (0.25, "250 ms"),
        (59.6, "1 min"),
        (3_600, "1 h"),
        (5_430, "1 h 30 min"),
        (86_399, "23 h 59 min"),
        (266_400, "3 d 2 h"),
        (-90, "\N{MINUS SIGN}1 min 30 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds, told):
    assert duration(seconds) == told


def test_numbers_are_short():
    assert [percent(each) for each in (None, 0, 0.038, 0.14285, 1)] == [
        NOTHING,
        "0 %",
        "3.8 %",
        "14.3 %",
        "100 %",
    ]
    assert [rate(each) for each in (None, 0, 0.042, 1.25, 12.34, 1234.5)] == [
        NOTHING, "0", "0.04", "1.25", "12.3", "1\u202f234",
    ]  # fmt: skip
    assert count(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("per_day", "told"),
    [
        (4.25, ("4.25", "a day")),
        (0.5, ("3.5", "a week")),
        (0.1, ("3.04", "a month")),
        (0.01, ("3.65", "a year")),
        (0, ("0", "a year")),
    ],
)
def test_a_frequency_is_told_in_the_shortest_time_that_has_one(per_day, told):
    assert frequency(per_day) == told


def test_a_bucket_is_called_by_its_calendar():
    start = "2026-04-01T00:00:00+02:00"
    assert [label(start, each) for each in ("day", "week", "month", "quarter", "year")] == [
        "1 Apr 2026", "1 Apr 2026", "Apr 2026", "Q2 2026", "2026",
    ]  # fmt: skip


def answer(name: str, value: float | None, samples: int, before: float | None, samples_before: int) -> dict:
    """An answer of the REST API, with the period before."""
    change = None if None in (value, before) else value - before
    return {
        "metric": name,
        "definition": "A definition.",
        "edition": "2023",
        "unit": "ratio" if name.endswith("rate") else "seconds",
        "bucket": "week",
        "value": value,
        "class": "high",
        "sample_count": samples,
        "coverage": {"linked": 1, "total": 2},
        "warnings": ["about all"],
        "previous": {"value": before, "sample_count": samples_before, "change": change},
        "points": [],
    }


def card_of(name: str, *values):
    answers = {each.name: answer(each.name, None, 0, None, 0) for each in SHOWN}
    answers[name] = answer(name, *values)
    return next(card for card in cards(answers, "week") if card.shown.name == name)


LEAD, FAILURES, FREQUENCY = "change-lead-time", "change-failure-rate", "deployment-frequency"


@pytest.mark.parametrize(
    ("name", "values", "about"),
    [
        (LEAD, (60.0, 3, None, 0), "3 commits: too few for a median"),
        (LEAD, (60.0, 1, None, 0), "1 commit: too few for a median"),
        (LEAD, (None, 0, None, 0), "No commits in this time"),
        (LEAD, (60.0, 5, None, 0), "Median of 5 commits; 1 of 2 deployments are linked to commits"),
        (FAILURES, (0.5, 2, None, 0), "2 deployments: too few for a rate to rely on"),
        (FAILURES, (0.5, 10, None, 0), "Of 10 deployments"),
        (FREQUENCY, (0.0, 0, None, 0), "No deployments in this time"),
        (FREQUENCY, (0.1, 1, None, 0), "1 deployment"),
    ],
)
def test_little_is_said_to_be_little(name, values, about):
    """And then there is no median, no class and no trend."""
    card = card_of(name, *values)
    assert card.about == about
    if "too few" in about or about.startswith("No "):
        assert card.performance is None
        assert card.trend is None
    if "median" in about and "too few" in about:
        assert card.value is None


@pytest.mark.parametrize(
    ("name", "values", "trend", "verdict", "before"),
    [
        (LEAD, (90.0, 9, 60.0, 9), "▲ 50 % more", "worse", "than the 1 min before"),
        (LEAD, (30.0, 9, 60.0, 9), "▼ 50 % less", "better", "than the 1 min before"),
        (LEAD, (240.0, 9, 60.0, 9), "▲ 4 times as much", "worse", "as the 1 min before"),
        (LEAD, (60.0, 9, 60.0, 9), "No change", "", "to the period before"),
        (LEAD, (60.1, 9, 60.0, 9), "▲ under 1 % more", "worse", "than the 1 min before"),
        (LEAD, (60.0, 9, 30.0, 2), None, "", ""),
        (FAILURES, (0.2, 20, 0.1, 20), "▲ 10 points more", "worse", "than the 10 % before"),
        (FREQUENCY, (2.0, 60, 1.0, 30), "▲ 100 % more", "better", "than the 1 a day before"),
    ],
)
def test_a_trend_says_how_much_and_whether_it_is_good(name, values, trend, verdict, before):
    card = card_of(name, *values)
    assert (card.trend, card.verdict, card.before) == (trend, verdict, before)


def test_what_is_about_all_is_not_said_of_each():
    assert card_of(LEAD, 60.0, 9, None, 0).notices == []


@pytest.mark.parametrize(
    ("method", "headers", "foreign"),
    [
        ("POST", {}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"sec-fetch-site": "same-site"}, True),
        ("POST", {"origin": "https://dora.example", "host": "dora.example"}, False),
        ("POST", {"origin": "https://evil.example", "host": "dora.example"}, True),
        ("POST", {"origin": "null", "host": "dora.example"}, True),
        ("GET", {"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_another_site_changes_nothing(method, headers, foreign):
    assert is_foreign(method, Headers(headers)) is foreign


@pytest.mark.parametrize(
    "address", ["//evil.example/", "https://evil.example/", "/\\evil.example", "", "/a\r\nb", "javascript:1"]
)
def test_a_login_leads_to_no_other_site(address):
    assert _own(address) == "/"
    assert _own("/services?team=a") == "/services?team=a"

"""Times as sources write them keep their instant, whatever the format."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import instant_text, microseconds_of, parse_instant


@pytest.mark.parametrize(
    ("told", "text"),
    [
        # GitHub, GitLab
        ("2013-12-03T17:23:34Z", "2013-12-03T17:23:34Z"),
        ("2013-12-03T17:23:34.123Z", "2013-12-03T17:23:34.123Z"),
        ("2015-05-05T19:40:15-04:00", "2015-05-05T19:40:15-04:00"),
        ("2016-08-12 15:23:28 UTC", "2016-08-12T15:23:28Z"),
        ("2021-04-28 21:50:00 +0200", "2021-04-28T21:50:00+02:00"),
        # Alertmanager writes nanoseconds, Kubernetes microseconds
        ("2020-02-06T00:17:58.432911368Z", "2020-02-06T00:17:58.432911368Z"),
        ("2021-01-29T14:47:58.157819Z", "2021-01-29T14:47:58.157819Z"),
        ("2018-03-12T13:45:00.000+0000", "2018-03-12T13:45:00.000+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2021-06-04t13:55:30z", "2021-06-04T13:55:30Z"),
        # Opsgenie counts milliseconds and nanoseconds, Jenkins milliseconds, GitHub seconds
        (1420452191104, "2015-01-05T10:03:11.104Z"),
        (1420452193166002000, "2015-01-05T10:03:13.166002000Z"),
        (1420452191, "2015-01-05T10:03:11Z"),
        (1420452191104000, "2015-01-05T10:03:11.104000Z"),
        (7226582400, "2199-01-01T00:00:00Z"),
        (631152000, "1990-01-01T00:00:00Z"),
    ],
)
def test_a_time_keeps_its_instant(told, text):
    assert instant_text(told) == text


@pytest.mark.parametrize(
    "told",
    [
        "0001-01-01T00:00:00Z",
        "1989-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "2020-02-06T00:17:58",
        "2020-02-06",
        "2020-02-30T00:00:00Z",
        "2020-02-06T25:00:00Z",
        "2020-02-06T24:00:00Z",
        "2020-02-06T00:00:00+02:60",
        "2020-02-06T00:00:00+24:00",
        "2020-02-06T00:00:00Z ",
        "٢٠٢٠-02-06T00:00:00Z",
        "",
        "null",
        0,
        -1420452191104,
        1,
        10**400,
        True,
        1420452191.5,
        None,
        [],
        {},
    ],
)
def test_what_names_no_instant_is_refused(told):
    with pytest.raises(ValueError, match=r"time|year|since"):
        instant_text(told)


@given(st.integers(631_152_000 * 10**6, 7_226_582_400 * 10**6))
def test_every_unit_counts_the_same_instant(microseconds: int):
    seconds = microseconds // 10**6
    assert microseconds_of(parse_instant(instant_text(microseconds))) == microseconds
    assert microseconds_of(parse_instant(instant_text(microseconds * 1000))) == microseconds
    assert microseconds_of(parse_instant(instant_text(seconds * 1000))) == seconds * 10**6
    assert microseconds_of(parse_instant(instant_text(seconds))) == seconds * 10**6


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.binary()))
def test_anything_is_an_instant_or_refused(told):
    with contextlib.suppress(ValueError):
        parse_instant(instant_text(told))

"""Calendar buckets: the days that people in a zone call by their dates, for every zone and every instant."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from schemas.calendar import (
    BUCKETS,
    OutsideCalendar,
    bucket_of,
    buckets_between,
    days_between,
    first_day,
    is_utc,
    local_day,
    midnight,
    next_first_day,
    rfc3339,
    zone_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")
MACHINE = {"localtime", "posixrules", "Factory"}
zones = st.sampled_from(sorted(available_timezones() - MACHINE)).map(ZoneInfo)
buckets = st.sampled_from(BUCKETS)
instants = st.datetimes(datetime(1, 1, 3), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
any_instants = st.datetimes(timezones=st.sampled_from([UTC, *map(ZoneInfo, ("Etc/GMT-14", "Etc/GMT+12"))]))


@given(instants, buckets, zones)
@example(datetime(2010, 11, 7, 3, 30, tzinfo=UTC), "day", ZoneInfo("America/Goose_Bay"))  # back over midnight
@example(datetime(2018, 11, 4, 3, 0, tzinfo=UTC), "day", ZoneInfo("America/Sao_Paulo"))  # no midnight at all
@example(datetime(2011, 12, 30, 10, 0, tzinfo=UTC), "day", ZoneInfo("Pacific/Apia"))  # no 30 December
def test_a_bucket_holds_the_instant_that_it_is_asked_for(instant, bucket, zone):
    start, end = bucket_of(instant, bucket, zone)
    assert start.astimezone(UTC) <= instant < end.astimezone(UTC)
    assert bucket_of(start, bucket, zone) == (start, end)


@given(instants, st.integers(1, 4000), buckets, zones)
@example(datetime(2011, 12, 28, tzinfo=UTC), 120, "day", ZoneInfo("Pacific/Apia"))
def test_buckets_follow_each_other_without_gap_or_overlap(start, hours, bucket, zone):
    end = start + timedelta(hours=hours)
    found = list(buckets_between(start, end, bucket, zone))
    edges = [(begin.astimezone(UTC), finish.astimezone(UTC)) for begin, finish in found]
    assert edges[0][0] <= start < edges[0][1]
    assert edges[-1][0] < end <= edges[-1][1]
    assert all(left[1] == right[0] for left, right in pairwise(edges))
    assert all(begin < finish for begin, finish in edges)


@given(any_instants, any_instants, buckets, zones)
@example(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "year", ZoneInfo("Etc/GMT-14"))
@example(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "week", ZoneInfo("Etc/GMT+12"))
@example(datetime(9999, 12, 31, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "month", UTC_ZONE)
def test_the_ends_of_the_calendar_raise_nothing_but_their_own_error(one, other, bucket, zone):
    attempts = (
        lambda: bucket_of(one, bucket, zone),
        lambda: list(islice(buckets_between(one, other, bucket, zone), 20)),
        lambda: days_between(one, other, zone),
        lambda: rfc3339(one, zone),
    )
    for attempt in attempts:
        try:
            attempt()
        except OutsideCalendar as error:
            assert "years 1 to 9999" in str(error)  # noqa: PT017, both outcomes are right


@given(st.dates(), buckets)
def test_first_days_are_first_and_follow_each_other(day, bucket):
    first = first_day(day, bucket)
    assert first <= day
    assert first_day(first, bucket) == first
    try:
        following = next_first_day(first, bucket)
    except OutsideCalendar:
        assume(False)
    assert day < following
    assert first_day(following, bucket) == following
    assert first_day(following - timedelta(days=1), bucket) == first


@pytest.mark.parametrize(
    ("day", "bucket", "expected"),
    [
        (date(2024, 12, 30), "week", date(2024, 12, 30)),  # Monday of ISO week 1 of 2025
        (date(2021, 1, 3), "week", date(2020, 12, 28)),  # Sunday of ISO week 53 of 2020
        (date(2024, 2, 29), "month", date(2024, 2, 1)),
        (date(2024, 2, 29), "quarter", date(2024, 1, 1)),
        (date(2024, 12, 31), "quarter", date(2024, 10, 1)),
        (date(2024, 2, 29), "year", date(2024, 1, 1)),
        (date(1, 1, 1), "week", date(1, 1, 1)),
    ],
)
def test_r18_first_day(day, bucket, expected):
    assert first_day(day, bucket) == expected


@pytest.mark.parametrize(
    ("first", "bucket", "expected"),
    [
        (date(2024, 2, 28), "day", date(2024, 2, 29)),
        (date(2023, 2, 28), "day", date(2023, 3, 1)),
        (date(2020, 12, 28), "week", date(2021, 1, 4)),
        (date(2024, 1, 1), "month", date(2024, 2, 1)),
        (date(2024, 12, 1), "month", date(2025, 1, 1)),
        (date(2024, 10, 1), "quarter", date(2025, 1, 1)),
        (date(2024, 1, 1), "quarter", date(2024, 4, 1)),
        (date(2024, 1, 1), "year", date(2025, 1, 1)),
    ],
)
def test_r18_next_first_day(first, bucket, expected):
    assert next_first_day(first, bucket) == expected


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_r18_a_day_around_a_clock_change_is_one_day(day, hours):
    start, end = midnight(day, BERLIN), midnight(day + timedelta(days=1), BERLIN)
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)
    assert days_between(start, end, BERLIN) == 1


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Etc/GMT-14", date(2026, 1, 2)),  # UTC+14
        ("Pacific/Kiritimati", date(2026, 1, 2)),
        ("UTC", date(2026, 1, 1)),
        ("Etc/GMT+12", date(2026, 1, 1)),  # UTC-12
        ("America/New_York", date(2026, 1, 1)),
    ],
)
def test_r18_one_instant_has_different_days(zone, expected):
    assert local_day(datetime(2026, 1, 1, 12, tzinfo=UTC), ZoneInfo(zone)) == expected


def test_r18_a_skipped_day_is_no_bucket():
    apia = ZoneInfo("Pacific/Apia")
    start, end = datetime(2011, 12, 29, 12, tzinfo=UTC), datetime(2011, 12, 31, 12, tzinfo=UTC)
    days = [local_day(begin, apia) for begin, _ in buckets_between(start, end, "day", apia)]
    assert days == [date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]


def test_buckets_that_only_touch_the_window_are_left_out():
    start, end = midnight(date(2026, 1, 5), BERLIN), midnight(date(2026, 1, 12), BERLIN)
    assert list(buckets_between(start, end, "week", BERLIN)) == [(start, end)]
    assert list(buckets_between(end, start, "week", BERLIN)) == []


def test_part_of_a_day_counts_as_the_part_of_its_length():
    start = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN)
    half = start.astimezone(UTC) + timedelta(hours=11.5)
    assert days_between(start, half, BERLIN) == 0.5
    assert days_between(half, midnight(date(2026, 4, 1), BERLIN), BERLIN) == 2.5


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        (datetime(2023, 8, 5, tzinfo=UTC), "UTC", "2023-08-05T00:00:00Z"),
        (datetime(2023, 8, 5, tzinfo=UTC), "Etc/UTC", "2023-08-05T00:00:00Z"),
        (datetime(2023, 8, 4, 22, tzinfo=UTC), "Europe/Berlin", "2023-08-05T00:00:00+02:00"),
        (datetime(2024, 1, 1, tzinfo=UTC), "Europe/London", "2024-01-01T00:00:00+00:00"),
        (datetime(2018, 11, 4, 3, tzinfo=UTC), "America/Sao_Paulo", "2018-11-04T01:00:00-02:00"),
        (datetime(1880, 1, 1, tzinfo=UTC), "Europe/Berlin", "1880-01-01T00:00:00Z"),  # offset +00:53:28
        (datetime(2023, 8, 5, 1, 2, 3, 450, tzinfo=UTC), "UTC", "2023-08-05T01:02:03.000450Z"),
    ],
)
def test_rfc3339(instant, zone, expected):
    assert rfc3339(instant, ZoneInfo(zone)) == expected


def test_utc_is_told_from_zones_that_share_its_offset():
    assert [
        name for name in ("UTC", "Etc/UTC", "Etc/Zulu", "GMT", "Africa/Abidjan") if is_utc(ZoneInfo(name))
    ] == [
        "UTC",
        "Etc/UTC",
        "Etc/Zulu",
    ]


@pytest.mark.parametrize(
    "name",
    ["", ".", "Europe", "europe/berlin", "../etc/passwd", "/etc/localtime", "\0", "\ud800", "x" * 5000],
)
def test_an_unknown_zone_is_refused_with_advice(name):
    with pytest.raises(ValueError, match=r"unknown time zone.*Europe/Berlin") as error:
        zone_of(name)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "right/UTC", "posix/UTC"])
def test_zones_that_differ_between_machines_are_refused(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_of(name)


def test_a_known_zone():
    assert zone_of("Europe/Berlin").key == "Europe/Berlin"

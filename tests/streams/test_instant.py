"""Instants: RFC 3339 text, there and back, and nothing but ValueError for anything else."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import format_instant, instant_or, parse_instant

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
local = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=offsets)  # noqa: DTZ001


@given(local)
def test_text_with_any_offset_names_its_instant(instant):
    parsed = parse_instant(instant.isoformat())
    assert parsed == instant
    assert parsed.utcoffset() == timedelta(0)
    assert parse_instant(format_instant(instant)) == instant


@given(local, local)
def test_written_instants_sort_as_the_instants_do(one, other):
    """Compared without their Z, as streams.kubernetes.rollouts.earliest does."""
    first, second = sorted([one, other])
    assert format_instant(first)[:-1] <= format_instant(second)[:-1]


@given(st.text())
def test_any_text_is_an_instant_or_a_value_error(text):
    try:
        parse_instant(text)
    except ValueError:
        assert instant_or(text, NOW) == NOW


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-05T10:00:00Z", datetime(2026, 3, 5, 10, tzinfo=UTC)),
        ("2026-03-05t10:00:00z", datetime(2026, 3, 5, 10, tzinfo=UTC)),
        ("2026-03-05 10:00:00+00:00", datetime(2026, 3, 5, 10, tzinfo=UTC)),
        ("2026-03-05T23:30:00-05:00", datetime(2026, 3, 6, 4, 30, tzinfo=UTC)),
        ("2026-03-05T10:00:00.123456789Z", datetime(2026, 3, 5, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-05T10:00:00.1Z", datetime(2026, 3, 5, 10, 0, 0, 100_000, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_r18_times_of_the_field(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-05",
        "2026-03-05T10:00:00",  # naive
        "2026-03-05T10:00Z",
        "2026-03-05T10:00:00+01",
        "2026-W10-4T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2026-03-05T24:00:00Z",
        "2026-03-05T10:00:61Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",  # before the calendar
        "9999-12-31T23:59:59-14:00",  # after it
        "2026-03-05T10:00:0\N{ARABIC-INDIC DIGIT ZERO}Z",
        "2026-03-05T10:00:00Z\n",
        "1772704800",
    ],
)
def test_what_names_no_instant_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        parse_instant(text)


def test_a_fallback_stands_in_for_what_is_missing():
    assert instant_or(None, NOW) == NOW
    assert instant_or("2026-03-05T10:00:00Z", NOW) == datetime(2026, 3, 5, 10, tzinfo=UTC)

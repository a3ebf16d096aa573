"""Name patterns."""

import time

import pytest

from schemas.patterns import is_pattern, matches


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("checkout", "checkout", True),
        ("checkout", "checkout-api", False),
        ("checkout-*", "checkout-api", True),
        ("checkout-*", "checkout-", True),
        ("acme/*", "acme/checkout", True),
        ("acme/*", "acme/group/checkout", False),
        ("acme/**", "acme/group/checkout", True),
        ("stg-?", "stg-1", True),
        ("stg-?", "stg-", False),
        ("a.b", "axb", False),
        ("[ab]", "[ab]", True),
        ("[ab]", "a", False),
        ("a***b", "a/x/b", True),
        ("*", "two\nlines", True),
    ],
)
def test_matches(pattern: str, name: str, fits: bool):
    assert matches(pattern, name) is fits


def test_is_pattern():
    assert [is_pattern(name) for name in ("a", "a*", "a?", "**", "[a]")] == [False, True, True, True, False]


def test_a_pattern_of_many_stars_costs_no_more_than_one():
    began = time.perf_counter()
    assert not matches("*" * 60 + "b", "a" * 512)
    assert time.perf_counter() - began < 1

"""Cursors: opaque, bound to their question, and checked."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.paging import Paging, cursor_of, key_of, location
from query.problems import Refused

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=50)
QUESTION = "/v1/deployments?service=shop"


@given(st.lists(st.one_of(NAMES, st.integers(0, 2**63 - 1)), min_size=1, max_size=3), NAMES)
def test_a_cursor_gives_back_its_key(key, question):
    assert key_of(cursor_of(key, question), question) == key


@given(st.data())
def test_q8_a_cursor_that_was_changed_is_refused(data):
    cursor = cursor_of(["2026-07-01T10:00:00Z", "d0001"], QUESTION)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda letter: letter != cursor[place]))
    with pytest.raises(Refused) as refused:
        key_of(cursor[:place] + other + cursor[place + 1 :], QUESTION)
    assert "cursor" in refused.value.reasons


@pytest.mark.parametrize("name", ["a", "ab", "abc"])
def test_a_cursor_has_one_spelling(name):
    """Base64 has several texts for the same bytes: the last letter holds bits that mean nothing."""
    cursor = cursor_of([name], QUESTION)
    for letter in ascii_letters:
        if letter != cursor[-1]:
            with pytest.raises(Refused):
                key_of(cursor[:-1] + letter, QUESTION)


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_a_cursor_that_was_cut_is_refused(cut):
    with pytest.raises(Refused):
        key_of(cursor_of(["shop"], QUESTION)[:cut], QUESTION)


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(Refused):
        key_of(text, QUESTION)


def test_a_cursor_of_other_filters_is_refused():
    shop = Paging("/v1/deployments", {"service": "shop"}, 1)
    cart = Paging("/v1/deployments", {"service": "cart"}, 1)
    following = shop.page([{"n": 1}, {"n": 2}], dict, lambda row: (row["n"],))["next"]
    cursor = following.rpartition("cursor=")[2]
    assert shop.behind(cursor, int) == [1]
    with pytest.raises(Refused):
        cart.behind(cursor, int)


def test_the_size_of_pages_and_the_order_of_filters_may_change():
    one = Paging("/v1/deployments", {"service": "shop", "kind": "failed", "limit": 1}, 1)
    other = Paging("/v1/deployments", {"kind": "failed", "service": "shop", "limit": 50}, 50)
    following = one.page([{"n": 1}, {"n": 2}], dict, lambda row: (row["n"],))["next"]
    assert other.behind(following.rpartition("cursor=")[2], int) == [1]


def forged(payload: bytes, question: str) -> str:
    """Whoever reads our source can make a digest; a cursor of the wrong shape must still be a refusal."""
    from query.paging import _digest

    return urlsafe_b64encode(_digest(payload, question) + payload).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("payload", "kinds"),
    [
        (b"not json", (int,)),
        (b'{"a":1}', (int,)),
        (b"[]", (int,)),
        (b"[1,2]", (int,)),
        (b'["1"]', (int,)),
        (b"[true]", (int,)),
        (b"[-1]", (int,)),
        (b"[9223372036854775808]", (int,)),
        (b"[1]", (str,)),
        (b'["a\\u0000b"]', (str,)),
        (b'["yesterday","d1"]', (datetime, str)),
        (b'[1,"d1"]', (datetime, str)),
        (b"[null]", (str,)),
    ],
)
def test_q8_a_forged_cursor_of_the_wrong_shape_is_refused(payload, kinds):
    paging = Paging("/v1/events", {}, 10)
    with pytest.raises(Refused):
        paging.behind(forged(payload, "/v1/events"), *kinds)


def test_a_page_shows_its_limit_and_leads_on():
    paging = Paging("/v1/events", {"fate": "dead", "limit": 2}, 2)
    rows = [{"event_id": number} for number in (9, 7, 5)]
    assert paging.wanted == 3
    page = paging.page(rows, lambda row: {"n": row["event_id"]}, lambda row: (row["event_id"],))
    assert page["items"] == [{"n": 9}, {"n": 7}]
    assert page["next"].startswith("/v1/events?fate=dead&limit=2&cursor=")
    assert paging.behind(page["next"].rpartition("cursor=")[2], int) == [7]


def test_the_last_page_leads_nowhere():
    assert (
        Paging("/v1/events", {}, 2).page([{"n": 1}, {"n": 2}], dict, lambda row: (row["n"],))["next"] is None
    )


def test_the_first_page_begins_at_the_beginning():
    assert Paging("/v1/deployments", {}, 2).behind(None, datetime, str) == [None, None]


def test_an_instant_in_a_key_keeps_its_microseconds():
    at = datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=UTC)
    rows = [{"at": at, "id": "d1"}, {"at": at, "id": "d0"}]
    paging = Paging("/v1/deployments", {}, 1)
    following = paging.page(rows, dict, lambda row: (row["at"], row["id"]))["next"]
    assert paging.behind(following.rpartition("cursor=")[2], datetime, str) == [at, "d1"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "/v1/events"),
        ({"source": None, "environment": []}, "/v1/events"),
        ({"source": "/a b", "id": "1&2"}, "/v1/events?source=%2Fa+b&id=1%262"),
        ({"environment": ["a", "b"]}, "/v1/events?environment=a&environment=b"),
    ],
)
def test_location(parameters, expected):
    assert location("/v1/events", parameters) == expected

"""Text that others chose: what can name something, what people can read, and what can be placed in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents.syntax import is_text
from streams import texts
from streams.shapes import Unfit


@pytest.mark.parametrize("value", ["checkout", "a b", "größe", "x" * 256, " x"])
def test_a_name_stays_as_it_is(value: str):
    assert texts.name(value, "a.b") == value


@pytest.mark.parametrize("value", ["x" * 257, "a\0", "a\nb", "\x1b[31m", "\ufffe", " ", "\N{NO-BREAK SPACE}"])
def test_text_that_names_nothing_is_refused_with_its_place(value: str):
    with pytest.raises(Unfit, match=r"a\.b"):
        texts.optional_name(value, "a.b")


@pytest.mark.parametrize("value", [7, True, [], {}, ["x"]])
def test_what_is_no_text_is_refused_with_its_place(value: object):
    with pytest.raises(Unfit, match=r"'a\.b' is not text"):
        texts.name(value, "a.b")


@pytest.mark.parametrize("value", [None, ""])
def test_empty_text_is_the_same_as_none(value: str | None):
    assert texts.optional_name(value, "a.b") is None
    with pytest.raises(Unfit, match=r"no text in field 'a\.b'"):
        texts.name(value, "a.b")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (" a\n b\t\tc ", "a b c"),
        ("", None),
        (" \n", None),
        (None, None),
        (7, None),
        (["x"], None),
        ("a\0b", "a?b"),
        ("x" * 1000, "x" * 255 + "…"),
    ],
)
def test_words_are_one_short_line(value: object, words: str | None):
    assert texts.words(value) == words


@given(st.text())
def test_words_can_always_be_kept(value: str):
    words = texts.words(value)
    assert words is None or (is_text(words) and len(words) <= 256)


def test_a_time_that_no_window_could_hold_is_refused_with_its_place():
    assert texts.instant("2026-03-02T10:15:30Z", "a.b") == "2026-03-02T10:15:30Z"
    for value in ("0001-01-01T00:00:00Z", "2026-03-02", "", None, {}, 7):
        with pytest.raises(Unfit, match=r"a\.b"):
            texts.instant(value, "a.b")

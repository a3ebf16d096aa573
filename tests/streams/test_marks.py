"""Hotfixes and reverts, as people and buttons write them."""

import time

import pytest

from streams.marks import LONGEST_READ, is_hotfix, reverted_commit

HASH = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"


@pytest.mark.parametrize(
    "name", ["hotfix", "hotfix/login", "hotfix-1.2.1", "Hot-Fix", "team_a/hotfix_7", "type: hotfix"]
)
def test_the_word_hotfix_marks_one(name: str):
    assert is_hotfix(name)
    assert is_hotfix(None, ["bug", name])


@pytest.mark.parametrize("name", ["main", "shotfixes", "hotfixed-already", "hot/fix", ""])
def test_other_words_do_not(name: str):
    assert not is_hotfix(name, [name])


@pytest.mark.parametrize(
    ("message", "commit"),
    [
        (f'Revert "x"\n\nThis reverts commit {HASH}.', HASH),
        (f"This reverts commit {HASH}, reversing\nchanges made to {'0' * 40}.", HASH),
        (f"This reverts commit {'ab' * 32}.", "ab" * 32),
        (f"This reverts commit {HASH[:12]}.", None),
        (f"this reverts commit {HASH}", None),
        ("x" * LONGEST_READ + f"This reverts commit {HASH}.", None),
        ("", None),
        (None, None),
    ],
)
def test_what_git_writes_names_the_commit(message: str | None, commit: str | None):
    assert reverted_commit(message) == commit


def test_no_message_takes_long():
    began = time.perf_counter()
    for text in ("This reverts commit " * 50_000, "a" * 1_000_000, "hot" * 300_000):
        reverted_commit(text)
        is_hotfix(text)
    assert time.perf_counter() - began < 2

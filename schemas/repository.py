"""Repositories, called owner/name however a tool writes where they are."""

import re

LONGEST_URL = 1024

# https://host/owner/name.git, ssh://git@host:22/owner/name, git@host:owner/name, git+https://host/owner/name@ref
_REMOTE = re.compile(
    r"(?:(?:git\+)?(?:https?|ssh|git)://(?:[^/@\s]*@)?[\w.-]+(?::\d+)?/+|[\w.-]+@[\w.-]+:/?)"
    r"(?P<path>[\w.-]+(?:/[\w.-]+)+)/?(?:[@?#]\S*)?",
    re.ASCII,
)


def repository_of_remote(url: str) -> str | None:
    """The repository, as owner/name, that a Git remote is at; ``None`` when ``url`` is no such remote.

    Of a subgroup all parts are kept: group/subgroup/name. Who may log in there is not part of the name.
    """
    found = _REMOTE.fullmatch(url) if len(url) <= LONGEST_URL else None
    return None if found is None else found["path"].removesuffix(".git")

"""Marks that people leave for each other in branch names, labels and messages: hotfixes and reverts. Pure.

Git writes ``This reverts commit <hash>.`` into the message of ``git revert``; GitHub writes ``Reverts
owner/repository#12`` and GitLab ``This reverts merge request !12`` into what their revert buttons open.
"""

import re
from collections.abc import Iterable

# A word of its own: hotfix, hotfix/payments, hotfix-1.2.1, hot-fix; and not a branch called shotfixes.
_HOTFIX = re.compile(r"(?:^|[/_:\s-])hot-?fix(?:$|[/_:\s.-])", re.IGNORECASE)
_COMMIT = re.compile(r"\bThis reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\b")

# Messages may be as long as a sender likes; what git and the buttons write stands near the beginning.
LONGEST_READ = 4096


def is_hotfix(branch: str | None, labels: Iterable[str] = ()) -> bool:
    """Whether a branch's name or one of the labels calls this a hotfix."""
    return any(_HOTFIX.search(name) is not None for name in (branch or "", *labels))


def reverted_commit(message: str | None) -> str | None:
    """The full hash of the commit that a message says it reverts, as git writes it."""
    found = _COMMIT.search((message or "")[:LONGEST_READ])
    return None if found is None else found[1]

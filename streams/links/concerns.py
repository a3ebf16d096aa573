"""Which changes concern a service, where the catalog divides a repository among several. Pure.

What a commit concerns was told when it was pushed, by the paths that it changes. Of a merged change no paths
are told: it concerns what the commit that it became, or its own last commit, concerns.
"""

from streams.facts import Change
from streams.links.history import History


class Concerns:
    """Says of the changes of one service's repositories whether they are its own."""

    def __init__(self, history: History) -> None:
        self._service = history.service
        self._divided = history.divided
        self._commits = {
            (change.repository, change.change_id): change
            for change in history.changes
            if change.kind == "commit" and change.repository in history.divided
        }

    def __contains__(self, change: Change) -> bool:
        if change.repository not in self._divided:
            return True
        if change.kind == "commit":
            return change.services is None or self._service in change.services.splitlines()
        known = (self._commits.get((change.repository, each or "")) for each in (change.commit, change.head))
        told = [commit for commit in known if commit is not None]
        return not told or any(commit in self for commit in told)

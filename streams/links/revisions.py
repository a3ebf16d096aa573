"""Which revision of which repository a deployment brought. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from streams.facts import Deployment
from streams.facts.artifacts import artifact_key
from streams.facts.told import repository_key
from streams.links.history import History

Revision = tuple[str, str]  # (repository, commit)


class Revisions:
    """Looks revisions up: what the deployment says, else what its artifact was built from."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._homes: defaultdict[str, set[str]] = defaultdict(set)
        for push in history.pushes:
            self._homes[push.commit].add(push.repository)
        for change in history.changes:
            if change.commit is not None:
                self._homes[change.commit].add(change.repository)
        self._merged_as = {
            change.change_id: (change.repository, change.commit)
            for change in history.changes
            if change.commit is not None
        }

    def of(self, deployment: Deployment) -> Revision | None:
        """The revision of ``deployment``; ``None`` when nothing tells it."""
        told = deployment.repository
        repository = None if told is None else repository_key(told)
        if deployment.commit is not None:
            return self._located(repository, deployment.commit.lower())
        built = self._history.artifacts.get(artifact_key(deployment.artifact or ""))
        if built is None:
            return None
        if built.commit is not None:
            return self._located(repository or built.repository, built.commit)
        return self._merged_as.get(built.change_id or "")

    def _located(self, repository: str | None, commit: str) -> Revision:
        # Forks and mirrors hold the same commits; the name that sorts first is always the same one.
        homes: Iterable[str] = self._homes.get(commit) or ("",)
        return (repository if repository is not None else min(homes), commit)

"""Which changes a deployment contains that none before it did. Pure.

A revision contains what was pushed to a branch before it: the commits up to it, on every branch that holds
it. A merged change is contained with the commit that it became, and brings its own commits along, also when
they were squashed or rebased and are on no branch that is deployed. Without pushes, changes are contained in
the order in which they were merged.

A first deployment contains what was pushed within 30 days before it: what is older was, most likely, deployed
before anybody told us of deployments, and would look as if it had waited for all that time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from streams.facts import Change, Push
from streams.links.history import History
from streams.links.revisions import Revision

FIRST_REACH = timedelta(days=30)
# A push and the merge that made it are told by two clocks, a moment apart.
MERGE_SKEW = timedelta(seconds=60)

Branch = tuple[str, str]  # (repository, branch)
Found = tuple[Revision, str]  # (what is contained, the rule that says so)


@dataclass(frozen=True, slots=True)
class Line:
    """The commits of one branch in the order in which they were pushed."""

    pushes: Sequence[Push]

    def brought_at(self, instant: datetime) -> Push | None:
        """The last commit of the first push at ``instant`` or after it."""
        first = next((push for push in self.pushes if push.pushed_at >= instant - MERGE_SKEW), None)
        if first is None:
            return None
        return next(
            p for p in reversed(self.pushes) if (p.pushed_at, p.after) == (first.pushed_at, first.after)
        )


class Containment:
    """Takes the deployed revisions of one service in their order, and says of each what is new in it."""

    def __init__(self, history: History) -> None:
        self.lines = {branch: Line(list(pushes)) for branch, pushes in _lines(history.pushes)}
        self.places: defaultdict[Revision, list[tuple[Branch, int]]] = defaultdict(list)
        for branch, line in self.lines.items():
            for position, push in enumerate(line.pushes):
                self.places[push.repository, push.commit].append((branch, position))
        self._merged = [each for each in history.changes if each.merged_at is not None]
        self._brings: defaultdict[Revision, list[Change]] = defaultdict(list)
        for change in self._merged:
            for commit in self._commits_of(change):
                self._brings[change.repository, commit].append(change)
        self._reached: dict[Branch, int] = {}
        self._merges_reached: dict[Branch, datetime] = {}
        self._known: set[Revision] = set()
        self._begun: set[str] = set()

    def is_known(self, revision: Revision) -> bool:
        """Whether the revision is one of those that were pushed or merged."""
        return revision in self.places or revision in self._brings

    def contains(self, revision: Revision) -> bool:
        """Whether what was taken until now contains the revision, or began after it."""
        return revision in self._known

    def take(self, revision: Revision, deployed_at: datetime) -> Iterator[Found]:
        """What ``revision``, deployed now, contains for the first time."""
        repository = revision[0]
        since = None if repository in self._begun else deployed_at - FIRST_REACH
        if self.is_known(revision):
            self._begun.add(repository)
        queue: list[Found] = [(revision, "revision")]
        while queue:
            commit, rule = queue.pop()
            for branch, position in self.places.get(commit, ()):
                queue += [(found, "push order") for found in self._up_to(branch, position, since)]
            if commit in self._known:
                continue
            self._known.add(commit)
            if commit in self.places:
                yield commit, rule
            for change in self._brings.get(commit, ()):
                yield from self._bring(change, queue, since, in_order=commit not in self.places)

    def _up_to(self, branch: Branch, position: int, since: datetime | None) -> Iterator[Revision]:
        begin = self._reached.get(branch, 0)
        self._reached[branch] = max(begin, position)
        for push in self.lines[branch].pushes[begin:position]:
            if since is None or push.pushed_at >= since:
                yield push.repository, push.commit
            else:
                self._known.add((push.repository, push.commit))

    def _bring(
        self, change: Change, queue: list[Found], since: datetime | None, *, in_order: bool
    ) -> Iterator[Found]:
        """A change whose commit is contained, and what comes with it."""
        for each in self._merged_before(change, since) if in_order else (change,):
            identity = (each.repository, each.change_id)
            if identity in self._known:
                continue
            self._known.add(identity)
            yield identity, "merged change" if each is change else "merge order"
            if each.head is not None:
                queue.append(((each.repository, each.head), "merged change"))

    def _merged_before(self, change: Change, since: datetime | None) -> list[Change]:
        """The changes merged into the same branch since the last one that was deployed, up to this one."""
        if change.branch is None or change.merged_at is None:
            return [change]
        branch = (change.repository, change.branch)
        begin = self._merges_reached.get(branch, since)
        end = change.merged_at
        self._merges_reached[branch] = end if begin is None else max(begin, end)
        return [
            each
            for each in self._merged
            if each is change
            or (
                (each.repository, each.branch) == branch
                and each.merged_at is not None
                and each.merged_at <= end
                and (begin is None or each.merged_at > begin)
            )
        ]

    def _commits_of(self, change: Change) -> Iterable[str]:
        """The commits with which a merged change is contained."""
        if change.commit is not None:
            return (change.commit,)
        # GitLab does not tell what a squash became: it is what the push at that moment brought.
        line = self.lines.get((change.repository, change.branch or ""))
        if change.head is not None and any(
            branch == (change.repository, change.branch)
            for branch, _ in self.places.get((change.repository, change.head), ())
        ):
            return (change.head,)
        push = None if line is None or change.merged_at is None else line.brought_at(change.merged_at)
        return () if push is None else (push.commit,)


def copies(history: History, containment: Containment) -> set[Revision]:
    """Commits that merging made of others: they are no work of their own.

    Of a change whose own commits are known, those are the merge commit, the squashed or the rebased commits:
    all that the same push brought besides the change's own.
    """
    by_push: defaultdict[tuple[str, str, datetime, str], list[str]] = defaultdict(list)
    for push in history.pushes:
        by_push[push.repository, push.branch, push.pushed_at, push.after].append(push.commit)
    found: set[Revision] = set()
    for change in history.changes:
        if change.commit is None or change.head is None or change.commit == change.head:
            continue
        own = containment.places.get((change.repository, change.head))
        if not own:
            continue
        kept = {
            push.commit
            for branch, position in own
            for push in containment.lines[branch].pushes[: position + 1]
        } - {change.commit}
        found.add((change.repository, change.commit))
        for branch, position in containment.places.get((change.repository, change.commit), ()):
            push = containment.lines[branch].pushes[position]
            group = by_push[push.repository, push.branch, push.pushed_at, push.after]
            found |= {(change.repository, commit) for commit in group if commit not in kept}
    return found


def _lines(pushes: Iterable[Push]) -> Iterator[tuple[Branch, list[Push]]]:
    ordered = sorted(pushes, key=lambda push: (push.repository, push.branch, push.rank))
    for branch, together in groupby(ordered, key=lambda push: (push.repository, push.branch)):
        line: list[Push] = []
        for _, at_once in groupby(together, key=lambda push: push.pushed_at):
            line += _chained(list(at_once))
        yield branch, line


def _chained(pushes: list[Push]) -> list[Push]:
    """Commits that were pushed at one instant, by one push or by several that follow one another."""
    groups: dict[tuple[str, str], list[Push]] = {}
    for push in pushes:
        groups.setdefault((push.before, push.after), []).append(push)
    rest = sorted(groups)
    ordered: list[Push] = []
    while rest:
        tips = {after for _, after in rest if after}
        first = next((group for group in rest if group[0] not in tips or group[0] == group[1]), rest[0])
        rest.remove(first)
        ordered += sorted(groups[first], key=lambda push: push.position)
    return ordered

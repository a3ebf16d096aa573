"""Commits that were pushed, changes under review that were merged, and the pushes themselves. Pure.

A commit's time is when it was made; where the source does not tell that, when it was first pushed. Who made
it is not kept: facts hold no personal names.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.cdevents.event import CDEvent
from streams.facts.told import (
    LONGEST_KEY,
    content_of,
    earliest,
    greatest,
    instant_of,
    instant_told,
    kind_of,
    mark,
    repository_of,
    text,
)

PUSHED = "dev.cdeventsx.dora-commit.pushed"
OPENED = "dev.cdevents.change.created"
MERGED = "dev.cdevents.change.merged"


@dataclass(frozen=True, slots=True)
class Change:
    """A commit, or a change under review; the columns of the table ``changes``.

    ``commit`` and ``head`` are of merged changes: what it became on its target branch, and its own last
    commit. ``services``, one a line and sorted, are those that a commit concerns in a repository that the
    catalog divides among several; ``None`` where it does not, or nothing tells.
    """

    repository: str
    change_id: str
    kind: str
    committed_at: datetime | None = None
    pushed_at: datetime | None = None
    opened_at: datetime | None = None
    merged_at: datetime | None = None
    service: str | None = None
    commit: str | None = None
    head: str | None = None
    branch: str | None = None
    reverts: str | None = None
    hotfix: bool = False
    services: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it."""
        return (self.repository, self.change_id)


@dataclass(frozen=True, slots=True)
class Push:
    """A commit that came onto a branch; the columns of the table ``pushes``. ``position`` 0 is the oldest."""

    repository: str
    branch: str
    commit: str
    pushed_at: datetime
    position: int
    before: str
    after: str
    truncated: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it: a commit comes onto a branch once."""
        return (self.repository, self.branch, self.commit)

    @property
    def rank(self) -> tuple[datetime, int, str, str]:
        """The lowest decides: the earliest push."""
        return (self.pushed_at, self.position, self.before, self.after)


def change_of(event: CDEvent) -> Change | None:
    """The commit or change that ``event`` tells of; ``None`` when it tells nothing that counts of one."""
    kind = kind_of(event)
    if kind not in (PUSHED, OPENED, MERGED):
        return None
    dora, at = event.dora, instant_of(event)
    repository = repository_of(event) or ""
    service, hotfix, reverts = text(dora.get("service")), mark(dora.get("hotfix")), text(dora.get("reverts"))
    if kind == PUSHED:
        return Change(
            repository,
            _commit(event),
            "commit",
            committed_at=instant_told(content_of(event).get("committedAt"), at),
            pushed_at=at,
            service=service,
            reverts=reverts,
            hotfix=hotfix,
            services=_lines(dora.get("services")),
        )
    if kind == OPENED:
        return Change(repository, event.subject_id, "change", opened_at=at, service=service, hotfix=hotfix)
    return Change(
        repository,
        event.subject_id,
        "change",
        merged_at=at,
        service=service,
        commit=_lower(dora.get("commit")),
        head=_lower(dora.get("head")),
        branch=text(dora.get("branch")),
        reverts=reverts,
        hotfix=hotfix,
    )


def push_of(event: CDEvent) -> Push | None:
    """The push of one commit that ``event`` tells of."""
    if kind_of(event) != PUSHED:
        return None
    content = content_of(event)
    return Push(
        repository=repository_of(event) or "",
        branch=str(content["branch"])[:LONGEST_KEY],
        commit=_commit(event),
        pushed_at=instant_of(event),
        position=min(int(content["order"]), 2**31 - 1),
        before=_lower(content.get("before")) or "",
        after=_lower(content.get("after")) or "",
        truncated=mark(event.dora.get("truncated")),
    )


def merge(one: Change, other: Change) -> Change:
    """Two tellings of one change as one."""
    return Change(
        one.repository,
        one.change_id,
        max(one.kind, other.kind),
        committed_at=earliest(one.committed_at, other.committed_at),
        pushed_at=earliest(one.pushed_at, other.pushed_at),
        opened_at=earliest(one.opened_at, other.opened_at),
        merged_at=earliest(one.merged_at, other.merged_at),
        service=greatest(one.service, other.service),
        commit=greatest(one.commit, other.commit),
        head=greatest(one.head, other.head),
        branch=greatest(one.branch, other.branch),
        reverts=greatest(one.reverts, other.reverts),
        hotfix=one.hotfix or other.hotfix,
        services=greatest(one.services, other.services),
    )


def merge_pushes(one: Push, other: Push) -> Push:
    """Two pushes of one commit to one branch as the earliest."""
    return min(one, other, key=lambda push: (push.rank, push.truncated))


def _commit(event: CDEvent) -> str:
    return event.subject_id.lower()


def _lines(value: object) -> str | None:
    """Names as one text. Of none it is empty: the commit concerns nobody."""
    if not isinstance(value, list):
        return None
    return "\n".join(sorted({name for name in value if isinstance(name, str) and name}))


def _lower(value: object) -> str | None:
    told = text(value)
    return None if told is None else told.lower()

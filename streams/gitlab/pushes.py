"""What reaches GitLab's repositories: commits on branches, branches, tags, and releases of tags. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    artifact_deleted,
    artifact_published,
    branch_created,
    branch_deleted,
    commit_pushed,
)
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.gitlab.project import Project, arrival_of, commit_of, time_of, tip_of
from streams.marks import is_hotfix
from streams.monorepo import concerned
from streams.outcome import Ignored, Mapped, Outcome
from streams.shapes import Unfit

BRANCHES, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Push:
    """A branch that was at ``before`` and is at ``after``; ``None`` where it was not, or is no longer."""

    project: Project
    at: str
    branch: str
    before: str | None
    after: str | None

    @property
    def fact(self) -> str:
        """What makes it the same push when another hook tells of it."""
        return f"{self.project.identity} {self.branch} {self.before}..{self.after}"

    def told(self) -> dict[str, Any]:
        """What each event about it tells."""
        return {**self.project.known(), "at": self.at, "branch": self.branch}


def commits_pushed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """Commits that reached a branch, and a branch that began or ended by it."""
    told = Fields(event.data)
    ref = told.text("ref")
    if not ref.startswith(BRANCHES):
        return Ignored("what was pushed is no branch")
    before, after = tip_of(told, "before"), tip_of(told, "after")
    push = Push(Project.of(told, catalog), arrival_of(event), ref.removeprefix(BRANCHES), before, after)
    if after is None:
        return Mapped(branch_deleted(**push.told(), fact=push.fact))
    drafts = list(_commits(told, push, catalog))
    if before is None:
        drafts.insert(0, branch_created(**push.told(), commit=after, fact=push.fact))
    return Mapped(*drafts) if drafts else Ignored("no commit was pushed: the branch was set to an older one")


def tag_pushed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A tag that was made: a version that can be fetched as an archive, and which commit it is."""
    told = Fields(event.data)
    tagged, tag = tip_of(told, "after"), told.text("ref").removeprefix(TAGS)
    if tagged is None:
        return Ignored("a tag was deleted; what it named may be in use still")
    commit = commit_of(told, "checkout_sha") or tagged  # an annotated tag is an object of its own
    known = _version(Project.of(told, catalog), tag, commit, f"tag {tagged}")
    return Mapped(artifact_published(**known, at=arrival_of(event)))


def release_published(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A release that was made, or deleted."""
    told = Fields(event.data)
    action, created = told.text("action"), time_of(told, "created_at", event)
    commit = commit_of(told, "commit.id")
    known = _version(Project.of(told, catalog), told.text("tag"), commit, f"release {created}")
    if action == "create":
        return Mapped(artifact_published(**known, at=told.instant("released_at", "created_at")))
    if action == "delete":
        return Mapped(artifact_deleted(**known, at=arrival_of(event)))
    return Ignored(f"a release's {action} publishes nothing")


def _commits(told: Fields, push: Push, catalog: Catalog) -> Iterator[Draft]:
    """Tell of each commit. Of a large push GitLab lists only the newest 20, the oldest of them first."""
    commits, size = list(told.each("commits")), told.find("total_commits_count")
    missing = max(size - len(commits), 0) if isinstance(size, int) else 0
    for order, commit in enumerate(commits, start=missing):
        sha = tip_of(commit, "id")
        if sha is None:
            raise Unfit("a commit's id is all zeros")
        project = push.project
        yield commit_pushed(
            **{**push.told(), **concerned(commit, project.name, project.service, catalog)},
            commit=sha,
            order=order,
            before=push.before,
            after=push.after,
            committed_at=commit.optional_instant("timestamp"),
            reverts=project.reverted(commit.prose("message")),
            hotfix=is_hotfix(push.branch) or None,
            truncated=missing > 0 or None,
            fact=f"{push.fact} {sha}",
        )


def _version(project: Project, tag: str, commit: str | None, fact: str) -> dict[str, Any]:
    artifact = project.version(tag)
    return {**project.known(), "artifact": artifact, "commit": commit, "fact": f"{artifact} {fact}"}

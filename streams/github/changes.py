"""Commits and pull requests: what of them the lead time and the failure rate need to know.

``merge_commit_sha`` of a merged pull request is the commit on its target branch, however it was merged: the
merge commit, the squashed commit, or the last of the rebased ones (docs.github.com, "Get a pull request").
The head's own commit is on the target branch after a merge commit only.
"""

import re
from collections.abc import Iterator
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import commit_pushed
from streams.fields import Fields
from streams.github.repository import Repository
from streams.marks import LONGEST_READ, is_hotfix, reverted_commit
from streams.monorepo import concerned

# GitHub's own limit on the commits of one push event (docs.github.com, "push").
MOST_COMMITS = 2048

# What the revert button writes into a pull request, and a squash of that into its commit.
_REVERTS = re.compile(r"\bReverts (?P<repository>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,9})\b", re.ASCII)


def branch_of(ref: str) -> str | None:
    """The branch's name in ``refs/heads/main``; ``None`` for a tag and all else."""
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def pushed_commits(
    told: Fields, repository: Repository, branch: str, at: str, catalog: Catalog
) -> Iterator[Draft]:
    """Every commit of a push, oldest first, as GitHub lists them; also those that other branches had."""
    commits = list(told.each("commits"))
    after = told.text("after")
    cut = len(commits) >= MOST_COMMITS or (bool(commits) and commits[-1].text("id") != after)
    before = None if told.flag("created") else told.optional("before")
    for order, commit in enumerate(commits):
        message = commit.prose("message")
        yield commit_pushed(
            source=repository.url,
            at=at,
            commit=commit.text("id"),
            repository=repository.name,
            **concerned(commit, repository.name, repository.service, catalog),
            branch=branch,
            order=order,
            before=before,
            after=after,
            committed_at=commit.optional_instant("timestamp"),
            reverts=reverted_commit(message) or reverted_change(message, repository, told),
            hotfix=is_hotfix(branch) or None,
            truncated=cut or None,
            channel="github",
        )


def proposal(told: Fields, repository: Repository) -> dict[str, Any]:
    """What every event about a pull request tells of it."""
    labels = [label.optional("name") or "" for label in told.each("pull_request.labels")]
    return {
        "source": repository.url,
        "change": told.uri("pull_request.url"),
        "repository": repository.name,
        "service": repository.service,
        "branch": told.optional("pull_request.base.ref"),
        "head": told.optional("pull_request.head.sha"),
        "hotfix": is_hotfix(told.optional("pull_request.head.ref"), labels) or None,
        "reverts": reverted_change(told.prose("pull_request.body"), repository, told),
        "channel": "github",
    }


def reverted_change(message: str, repository: Repository, told: Fields) -> str | None:
    """The id of the pull request of this repository that a message says it reverts."""
    found = _REVERTS.search(message[:LONGEST_READ])
    if found is None or (found["repository"] or repository.name).lower() != repository.name.lower():
        return None
    # The only address below the API that each payload has, be it of a push or of a pull request.
    root, marker, _ = (told.optional("repository.pulls_url") or "").partition("{/number}")
    return f"{root}/{found['number']}" if marker else None

"""Changes on their way to the main line: commits that were pushed, branches, and changes under review.

``change.*`` and ``branch.*`` are official, ``dora-commit.pushed`` is ours. A change is what its source calls
one: a pull request, a merge request. ``repository`` is owner/name or what the source identifies it by.
"""

from collections.abc import Sequence
from typing import Any, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft, reference


class Changed(Told, total=False):
    """What may be known of a change: the service that it belongs to, and the commit at its head."""

    service: str | None
    commit: str | None


class Proposed(Changed, total=False):
    """What may be known of a change under review: ``branch`` is the one that it is to become part of."""

    branch: str | None


def commit_pushed(
    *,
    source: str,
    at: str,
    commit: str,
    repository: str,
    branch: str,
    order: int,
    before: str | None = None,
    after: str | None = None,
    committed_at: str | None = None,
    service: str | None = None,
    services: Sequence[str] | None = None,
    **told: Unpack[Told],
) -> Draft:
    """One commit of a push. ``at`` is the time of the push; ``order`` counts from 0, its oldest commit.

    ``services`` are those that it concerns, where the catalog divides the repository among several.
    """
    content = {
        "repository": reference(repository),
        "branch": branch,
        "order": order,
        "before": before,
        "after": after,
        "committedAt": committed_at,
    }
    concerned = None if services is None else list(services)
    known = {"service": service, "services": concerned, "repository": repository, "commit": commit}
    dora = {**known, "branch": branch, **told}
    return draft("dora-commit.pushed", source=source, at=at, subject_id=commit, content=content, dora=dora)


def change_created(
    *,
    source: str,
    at: str,
    change: str,
    repository: str,
    description: str | None = None,
    **known: Unpack[Proposed],
) -> Draft:
    """A change was proposed. An empty ``description`` is none."""
    content = {"repository": reference(repository), "description": description or None}
    dora: dict[str, Any] = {"repository": repository, **known}
    return draft("change.created", source=source, at=at, subject_id=change, content=content, dora=dora)


def change_updated(*, source: str, at: str, change: str, repository: str, **known: Unpack[Proposed]) -> Draft:
    """A change under review got new commits or another text."""
    return _about_repository("change.updated", source, at, change, repository, known)


def change_reviewed(
    *, source: str, at: str, change: str, repository: str, **known: Unpack[Proposed]
) -> Draft:
    """Somebody reviewed a change."""
    return _about_repository("change.reviewed", source, at, change, repository, known)


def change_merged(*, source: str, at: str, change: str, repository: str, **known: Unpack[Proposed]) -> Draft:
    """A change became part of its target branch; ``commit`` is the commit there."""
    return _about_repository("change.merged", source, at, change, repository, known)


def change_abandoned(
    *, source: str, at: str, change: str, repository: str, **known: Unpack[Proposed]
) -> Draft:
    """A change was closed without being merged."""
    return _about_repository("change.abandoned", source, at, change, repository, known)


def branch_created(*, source: str, at: str, branch: str, repository: str, **known: Unpack[Changed]) -> Draft:
    """A branch was created."""
    return _about_repository("branch.created", source, at, branch, repository, {**known, "branch": branch})


def branch_deleted(*, source: str, at: str, branch: str, repository: str, **known: Unpack[Changed]) -> Draft:
    """A branch was deleted."""
    return _about_repository("branch.deleted", source, at, branch, repository, {**known, "branch": branch})


def _about_repository(
    name: str, source: str, at: str, subject_id: str, repository: str, known: Proposed
) -> Draft:
    content = {"repository": reference(repository)}
    dora: dict[str, Any] = {"repository": repository, **known}
    return draft(name, source=source, at=at, subject_id=subject_id, content=content, dora=dora)
